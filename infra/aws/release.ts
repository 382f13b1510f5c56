/** Brings a release to the box, and waits until the box says that it runs. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

/** What a parameter may be: it is put into the shell's text as it stands, so what the shell could take for more is refused by SSM. */
export interface ReleaseParameter {
  readonly value: pulumi.Input<string>;
  /** Regular expression that the whole value matches. */
  readonly pattern: string;
  readonly description: string;
}

export interface ReleaseArgs {
  readonly instanceId: pulumi.Input<string>;
  /** Bash, run as root; its exit status is the release's. `{{ Name }}` stands for a parameter. */
  readonly script: pulumi.Input<string>;
  /** By name. The hash of the bundle is one of them: another hash is another release. */
  readonly parameters: Readonly<Record<string, ReleaseParameter>>;
  /** What the script may take, the preparation of a new box included. */
  readonly timeoutSeconds: number;
  /** What must be there before a release runs. A component's dependencies are not its children's. */
  readonly after?: readonly pulumi.Resource[] | undefined;
}

/** From a box's start until its agent has asked for work. */
const FIRST_REPORT_SECONDS = 600;

/** What SSM takes. https://docs.aws.amazon.com/general/latest/gr/ssm.html */
const DOCUMENT_BYTES = 64 * 1024;

export class Release extends pulumi.ComponentResource {
  readonly associationId: pulumi.Output<string>;

  constructor(name: string, args: ReleaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("novadrive:aws:Release", name, {}, opts);
    const { timeoutSeconds } = args;
    const { parameters } = args;
    const content = pulumi
      .output(args.script)
      .apply((script) => releaseDocument({ script, parameters, timeoutSeconds }));
    const document = new aws.ssm.Document(
      `${name}-release`,
      { documentType: "Command", documentFormat: "JSON", content, targetType: "/AWS::EC2::Instance" },
      { parent: this },
    );
    const association = new aws.ssm.Association(
      `${name}-release`,
      {
        name: document.name,
        targets: [{ key: "InstanceIds", values: [args.instanceId] }],
        // Without it, State Manager runs every new version at once, with the parameters before:
        // https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateDocumentDefaultVersion.html
        documentVersion: document.latestVersion,
        parameters: Object.fromEntries(Object.entries(parameters).map(([key, { value }]) => [key, value])),
        // A new box first has to report to Systems Manager, which then counts the script's own seconds.
        waitForSuccessTimeoutSeconds: timeoutSeconds + FIRST_REPORT_SECONDS,
      },
      {
        parent: this,
        dependsOn: [...(args.after ?? [])],
        // The provider waits for an association that it creates, and not for one that it changes: a changed one would let
        // `pulumi up` end before the release is in. Two at once would release twice. On a box that has not yet reported to SSM it
        // may not wait either, and the release comes when the box has: https://github.com/hashicorp/terraform-provider-aws/issues/31175
        // #initerror is what the engine calls it that the association was made but did not succeed. Without it the next `up` changes the
        // association, waits for nothing, and says that all is well: https://github.com/pulumi/pulumi/issues/21458
        replaceOnChanges: ["parameters", "targets", "documentVersion", "#initerror"],
        deleteBeforeReplace: true,
        protect: false,
      },
    );
    this.associationId = association.associationId;
    this.registerOutputs({ associationId: this.associationId });
  }
}

/**
 * The SSM document, as JSON.
 * @throws RangeError for a script with a placeholder that is no parameter, for a parameter that may be anything, for a document too long
 */
export function releaseDocument(args: {
  readonly script: string;
  readonly parameters: Readonly<Record<string, Pick<ReleaseParameter, "pattern" | "description">>>;
  readonly timeoutSeconds: number;
}): string {
  // SSM runs `sh`, which is not Bash on Ubuntu, unless the first line says so.
  const script = args.script.startsWith("#!") ? args.script : `#!/usr/bin/env bash\n${args.script}`;
  for (const [placeholder, name = ""] of script.matchAll(/\{\{\s*(.*?)\s*\}\}/g)) {
    if (!(name in args.parameters))
      throw new RangeError(`The release's script has ${placeholder}, which is no parameter`);
  }
  for (const [name, { pattern }] of Object.entries(args.parameters)) {
    if (!isHarmless(pattern)) {
      throw new RangeError(
        `The release's parameter ${name} may be ${pattern}, which the shell could take for more than a value`,
      );
    }
  }
  const document = JSON.stringify({
    schemaVersion: "2.2",
    description: "Brings a release of NovaDrive to the box.",
    parameters: Object.fromEntries(
      Object.entries(args.parameters).map(([name, { pattern, description }]) => [
        name,
        { type: "String", description, allowedPattern: pattern },
      ]),
    ),
    mainSteps: [
      {
        action: "aws:runShellScript",
        name: "release",
        inputs: { timeoutSeconds: String(args.timeoutSeconds), runCommand: script.trimEnd().split("\n") },
      },
    ],
  });
  if (Buffer.byteLength(document) > DOCUMENT_BYTES) {
    throw new RangeError(
      `The release's document has ${Buffer.byteLength(document)} bytes; SSM takes ${DOCUMENT_BYTES}`,
    );
  }
  return document;
}

/** SSM puts values into the text before a shell sees it, so quotes protect nothing: of the pattern, the whole value is letters, digits and _ . / : - */
function isHarmless(pattern: string): boolean {
  return /^\^(?:[\w/:-]|\\\.|\[(?:[\w/:.-]|\w-\w)+\](?:\{\d+(?:,\d*)?\}|[+*])?)+\$$/.test(pattern);
}
