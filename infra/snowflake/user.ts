/** The user that the runtime logs in as: a service without a password, from the box's address only. */
import * as pulumi from "@pulumi/pulumi";
import * as snowflake from "@pulumi/snowflake";
import { identifier, literal } from "../../runtime/core/sql.ts";

/** How the user proves who it is. */
export type RuntimeLogin =
  | {
      /** By being the box: AWS vouches for the instance's role, and nothing secret exists. */
      readonly kind: "workload-identity";
      /** The role's ARN, not the instance profile's. */
      readonly awsRoleArn: pulumi.Input<string>;
    }
  | {
      readonly kind: "key-pair";
      /** Base64 of the DER, without the lines around it. */
      readonly publicKey: string;
      /** While keys change, both old and new are good. */
      readonly secondPublicKey?: string | undefined;
    };

export interface RuntimeUserArgs {
  /** Before the names of user and network policy, which are the account's. */
  readonly prefix: string;
  readonly role: pulumi.Input<string>;
  readonly warehouse: pulumi.Input<string>;
  readonly database: pulumi.Input<string>;
  /** IPv4 addresses or networks that the user may come from: the box's elastic address. Never empty. */
  readonly addresses: readonly pulumi.Input<string>[];
  readonly login: RuntimeLogin;
}

export class RuntimeUser extends pulumi.ComponentResource {
  /** The user's name, once it can log in. */
  readonly userName: pulumi.Output<string>;

  constructor(name: string, args: RuntimeUserArgs, opts?: pulumi.ComponentResourceOptions) {
    super("novadrive:snowflake:RuntimeUser", name, {}, opts);
    const { prefix, login } = args;
    const child = { parent: this };
    const policy = new snowflake.NetworkPolicy(
      `${name}-runtime`,
      {
        name: `${prefix}_RUNTIME`,
        comment: "Where the NovaDrive box may come from. For its user alone, never for the account.",
        allowedIpLists: [...args.addresses],
      },
      child,
    );
    const user = new snowflake.ServiceUser(
      `${name}-runtime`,
      {
        name: `${prefix}_RUNTIME`,
        comment: "The NovaDrive process.",
        defaultRole: args.role,
        // Else every other role that somebody grants to the user would count in its sessions too.
        defaultSecondaryRolesOption: "NONE",
        defaultWarehouse: args.warehouse,
        defaultNamespace: args.database,
        networkPolicy: policy.name,
        ...(login.kind === "key-pair" ? publicKeys(login) : {}),
      },
      child,
    );
    const granted = new snowflake.GrantAccountRole(
      `${name}-RUNTIME-to-user`,
      { roleName: args.role, userName: user.name },
      child,
    );
    const needed: pulumi.CustomResource[] = [granted];
    if (login.kind === "workload-identity") needed.push(this.#bind(name, user.name, login.awsRoleArn));
    this.userName = pulumi
      .all([user.name, pulumi.all(needed.map((resource) => resource.id))])
      .apply(([userName]) => userName);
    this.registerOutputs({ userName: this.userName });
  }

  /** The provider's user has no argument for it yet. */
  #bind(name: string, user: pulumi.Output<string>, awsRoleArn: pulumi.Input<string>): snowflake.Execute {
    const statements = pulumi.all([user, awsRoleArn]).apply(([own, arn]) => bindWorkloadIdentity(own, arn));
    return new snowflake.Execute(
      `${name}-workload-identity`,
      { execute: statements.execute, revert: statements.revert },
      // The other way round, the old one's UNSET would follow the new one's SET.
      { parent: this, deleteBeforeReplace: true, protect: false },
    );
  }
}

function publicKeys({ publicKey, secondPublicKey }: Extract<RuntimeLogin, { kind: "key-pair" }>) {
  return {
    rsaPublicKey: publicKey,
    ...(secondPublicKey === undefined ? {} : { rsaPublicKey2: secondPublicKey }),
  };
}

/**
 * The statements that bind a user to an AWS role and take that back.
 * https://docs.snowflake.com/en/user-guide/workload-identity-federation
 */
export function bindWorkloadIdentity(user: string, awsRoleArn: string): { execute: string; revert: string } {
  const name = identifier(user);
  const arn = literal(awsRoleArn, "backslash-escapes");
  return {
    execute: `ALTER USER ${name} SET WORKLOAD_IDENTITY = (TYPE = AWS ARN = ${arn})`,
    // A user that was renamed or dropped by hand must not stop a destroy.
    revert: `ALTER USER IF EXISTS ${name} UNSET WORKLOAD_IDENTITY`,
  };
}
