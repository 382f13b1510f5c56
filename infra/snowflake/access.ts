/** Who may do what in Snowflake: the stack's account roles, and no more grants than each of them needs. */
import * as pulumi from "@pulumi/pulumi";
import * as snowflake from "@pulumi/snowflake";
import { identifier } from "../../runtime/core/sql.ts";

export interface WarehouseAccessArgs {
  /** Before the names of the roles, which are the account's and not the database's: two stacks in one account need two. */
  readonly prefix: string;
  readonly database: pulumi.Input<string>;
  readonly warehouse: pulumi.Input<string>;
  /** By UPPER CASE name; has all of `stageSchemas`, ANALYTICS and PIPELINE. */
  readonly schemas: Readonly<Record<string, pulumi.Input<string>>>;
  /** Schemas of the stage tables, UPPER CASE, each once. */
  readonly stageSchemas: readonly string[];
  /** Whether readers may see the mirrored tables too, not only the models. */
  readonly readerSeesStage: boolean;
}

export const ROLES = {
  LOADER: "Writes the rows of the stage tables; keeps the loader's books in PIPELINE.",
  TRANSFORMER: "Reads the stage tables, makes the models.",
  READER: "Reads the models: for people and tools that use the data.",
  RUNTIME: "What the NovaDrive process logs in with: LOADER and TRANSFORMER in one, and nothing of its own.",
} as const;

export type RoleKey = keyof typeof ROLES;

/** Custom roles belong under SYSADMIN, so that administrators can manage what they own: https://docs.snowflake.com/en/user-guide/security-access-control-considerations#aligning-object-access-with-business-functions */
const ADMINISTRATORS = "SYSADMIN";

/** What a grant is on: the warehouse, the database, a schema, or all objects of a kind in a schema, those to come included. */
type Target =
  | { readonly kind: "WAREHOUSE" | "DATABASE" }
  | { readonly kind: "SCHEMA"; readonly schema: string }
  | { readonly kind: "TABLES" | "VIEWS"; readonly schema: string };

interface Grant {
  readonly role: RoleKey;
  readonly privileges: readonly string[];
  readonly on: Target;
  /** Comes and goes with a setting. */
  readonly optional?: true;
}

/** Every grant of the stack. Pure, so that a review reads the whole of it here. */
function grants({
  stageSchemas,
  readerSeesStage,
}: Pick<WarehouseAccessArgs, "stageSchemas" | "readerSeesStage">): Grant[] {
  const roles = ["LOADER", "TRANSFORMER", "READER"] as const;
  return [
    // USAGE also resumes a warehouse that resumes by itself, and lets SHOW WAREHOUSES tell its size to `doctor`.
    ...roles.map((role): Grant => ({ role, privileges: ["USAGE"], on: { kind: "WAREHOUSE" } })),
    ...roles.map((role): Grant => ({ role, privileges: ["USAGE"], on: { kind: "DATABASE" } })),
    ...stageSchemas.flatMap((schema): Grant[] => [
      { role: "LOADER", privileges: ["USAGE"], on: { kind: "SCHEMA", schema } },
      { role: "LOADER", privileges: ["DELETE", "INSERT", "SELECT", "UPDATE"], on: { kind: "TABLES", schema } },
      { role: "TRANSFORMER", privileges: ["USAGE"], on: { kind: "SCHEMA", schema } },
      { role: "TRANSFORMER", privileges: ["SELECT"], on: { kind: "TABLES", schema } },
    ]),
    {
      role: "LOADER",
      privileges: ["CREATE STAGE", "CREATE TABLE", "USAGE"],
      on: { kind: "SCHEMA", schema: "PIPELINE" },
    },
    {
      role: "TRANSFORMER",
      privileges: ["CREATE TABLE", "CREATE VIEW", "USAGE"],
      on: { kind: "SCHEMA", schema: "ANALYTICS" },
    },
    { role: "READER", privileges: ["USAGE"], on: { kind: "SCHEMA", schema: "ANALYTICS" } },
    { role: "READER", privileges: ["SELECT"], on: { kind: "TABLES", schema: "ANALYTICS" } },
    { role: "READER", privileges: ["SELECT"], on: { kind: "VIEWS", schema: "ANALYTICS" } },
    ...(readerSeesStage ? stageSchemas : []).flatMap((schema): Grant[] => [
      { role: "READER", privileges: ["USAGE"], on: { kind: "SCHEMA", schema }, optional: true },
      { role: "READER", privileges: ["SELECT"], on: { kind: "TABLES", schema }, optional: true },
    ]),
  ];
}

/**
 * Stage tables should be made after this component: each table then has its grants from its first moment, by the
 * grants on future tables. Those on all tables reach what was there before the grants, as after a role was made anew.
 */
export class WarehouseAccess extends pulumi.ComponentResource {
  /** Names of the roles in Snowflake. */
  readonly roleNames: Readonly<Record<RoleKey, pulumi.Output<string>>>;
  /** The role that the runtime's user has, once it has everything that it needs. */
  readonly runtimeRole: pulumi.Output<string>;

  constructor(name: string, args: WarehouseAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("novadrive:snowflake:WarehouseAccess", name, {}, opts);
    const child = { parent: this };
    const role = (key: RoleKey): pulumi.Output<string> =>
      new snowflake.AccountRole(`${name}-${key}`, { name: roleName(args.prefix, key), comment: ROLES[key] }, child)
        .name;
    this.roleNames = {
      LOADER: role("LOADER"),
      TRANSFORMER: role("TRANSFORMER"),
      READER: role("READER"),
      RUNTIME: role("RUNTIME"),
    };
    const inherit = (key: RoleKey, parent: string, parentRoleName: pulumi.Input<string>) =>
      new snowflake.GrantAccountRole(
        `${name}-${key}-to-${parent}`,
        { roleName: this.roleNames[key], parentRoleName },
        child,
      );
    const inherited = [
      inherit("LOADER", "RUNTIME", this.roleNames.RUNTIME),
      inherit("TRANSFORMER", "RUNTIME", this.roleNames.RUNTIME),
    ];
    inherit("RUNTIME", ADMINISTRATORS, ADMINISTRATORS);
    inherit("READER", ADMINISTRATORS, ADMINISTRATORS);
    const granted = grants(args).flatMap((grant) => this.#grant(name, args, grant));
    const complete = pulumi.all([...inherited, ...granted].map((resource) => resource.id));
    this.runtimeRole = pulumi.all([this.roleNames.RUNTIME, complete]).apply(([runtime]) => runtime);
    this.registerOutputs({ roleNames: this.roleNames, runtimeRole: this.runtimeRole });
  }

  #grant(name: string, args: WarehouseAccessArgs, grant: Grant): pulumi.CustomResource[] {
    const { role, privileges, on } = grant;
    const schema = (key: string): pulumi.Output<string> => {
      const found = args.schemas[key];
      if (found === undefined) throw new RangeError(`No schema ${key} to grant on`);
      return pulumi.all([args.database, found]).apply((path) => identifier(...path));
    };
    const make = (suffix: string, target: Partial<snowflake.GrantPrivilegesToAccountRoleArgs>) =>
      new snowflake.GrantPrivilegesToAccountRole(
        `${name}-${role}-${suffix}`,
        { accountRoleName: this.roleNames[role], privileges: [...privileges], ...target },
        // What a setting opened, a setting must be able to close, in a protected stack too.
        grant.optional ? { parent: this, protect: false } : { parent: this },
      );
    switch (on.kind) {
      case "WAREHOUSE":
        return [make("warehouse", { onAccountObject: { objectType: "WAREHOUSE", objectName: args.warehouse } })];
      case "DATABASE":
        return [make("database", { onAccountObject: { objectType: "DATABASE", objectName: args.database } })];
      case "SCHEMA":
        return [make(`schema-${on.schema}`, { onSchema: { schemaName: schema(on.schema) } })];
      case "TABLES":
      case "VIEWS": {
        const objects = { objectTypePlural: on.kind, inSchema: schema(on.schema) };
        const of = `${on.kind.toLowerCase()}-${on.schema}`;
        return [
          make(`future-${of}`, { onSchemaObject: { future: objects } }),
          make(`all-${of}`, { onSchemaObject: { all: objects } }),
        ];
      }
    }
  }
}

/** `NOVADRIVE` and `LOADER` → `NOVADRIVE_LOADER`. */
function roleName(prefix: string, key: RoleKey): string {
  return `${prefix}_${key}`;
}
