/** The secrets of the box: places in Secrets Manager, each with its value or waiting for one. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

/** All there can be. The runtime reads them at its start, by name, and writes none of them to a disk. */
const SECRETS = {
  "source-url": "URL of the source PostgreSQL, with user and password.",
  "ui-password-hash": "Hash of the password with which the page is opened.",
  "snowflake-private-key": "Private key of the service user in Snowflake, in PEM form.",
  "tls-key": "Private key of the page's certificate, in PEM form.",
} as const;

type SecretName = keyof typeof SECRETS;

const OPTIONAL: ReadonlySet<SecretName> = new Set(["snowflake-private-key", "tls-key"]);

export interface SecretsArgs {
  /** Before each name, so that stacks do not meet: `novadrive/dev`. */
  readonly prefix: string;
  readonly region: string;
  /** 0: deleted at once, and the name is free again. */
  readonly recoveryDays: 0 | 30;
  /**
   * The secrets that there shall be. With a value, Pulumi keeps it in its state, encrypted by the stack's own key; with undefined
   * it is put there by hand (`commands`), and neither Pulumi nor its state ever sees it.
   */
  readonly values: { readonly [Name in SecretName]?: pulumi.Input<string> | undefined };
}

export class Secrets extends pulumi.ComponentResource {
  /** By name, those that there are. */
  readonly arns: { readonly [Name in SecretName]?: pulumi.Output<string> };
  /** Of the values that Pulumi keeps: another value has another id. */
  readonly versions: readonly pulumi.Output<string>[];
  /** For each secret without a value: the command that reads it from standard input. */
  readonly commands: readonly string[];

  constructor(name: string, args: SecretsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("novadrive:aws:Secrets", name, {}, opts);
    const arns: { [Name in SecretName]?: pulumi.Output<string> } = {};
    const versions: pulumi.Output<string>[] = [];
    const commands: string[] = [];
    for (const key of Object.keys(SECRETS) as SecretName[]) {
      if (!(key in args.values)) continue;
      const value = args.values[key];
      const secret = new aws.secretsmanager.Secret(
        `${name}-${key}`,
        { name: `${args.prefix}/${key}`, description: SECRETS[key], recoveryWindowInDays: args.recoveryDays },
        // What a setting brings, a setting must be able to take away.
        OPTIONAL.has(key) ? { parent: this, protect: false } : { parent: this },
      );
      arns[key] = secret.arn;
      if (value === undefined) {
        commands.push(setCommand(args.region, `${args.prefix}/${key}`));
        continue;
      }
      const version = new aws.secretsmanager.SecretVersion(
        `${name}-${key}`,
        { secretId: secret.id, secretString: pulumi.secret(value) },
        // Another value is another version, which a protected one could not give way to.
        { parent: this, protect: false },
      );
      versions.push(version.versionId);
    }
    this.arns = arns;
    this.versions = versions;
    this.commands = commands;
    this.registerOutputs({ arns });
  }
}

/** From standard input, so that the value stands in no shell history and no list of processes. */
function setCommand(region: string, secret: string): string {
  return `aws secretsmanager put-secret-value --region ${region} --secret-id ${secret} --secret-string file:///dev/stdin`;
}
