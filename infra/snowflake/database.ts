/** The database, its schemas, and the warehouse that does the work. */
import * as pulumi from "@pulumi/pulumi";
import * as snowflake from "@pulumi/snowflake";
import type { ManifestTable } from "../../runtime/manifest/manifest.ts";

export interface WarehouseDatabaseArgs {
  /** UPPER CASE, as every name in Snowflake: the provider quotes names, and a quoted lower-case name must be quoted for ever. */
  readonly database: string;
  readonly warehouse: string;
  readonly size: string;
  readonly autoSuspendSeconds: number;
  readonly statementTimeoutSeconds: number;
  /** Schemas of the stage tables, UPPER CASE, each once. */
  readonly stageSchemas: readonly string[];
}

/** The schemas that are not the manifest's. */
const OWN_SCHEMAS: Readonly<Record<string, string>> = {
  ANALYTICS: "The models.",
  PIPELINE: "The loader's own: batches, watermarks, files on their way in.",
};

export class WarehouseDatabase extends pulumi.ComponentResource {
  readonly databaseName: pulumi.Output<string>;
  readonly warehouseName: pulumi.Output<string>;
  /** By name; what is created in a schema takes its name from here, and so comes after it. */
  readonly schemaNames: Readonly<Record<string, pulumi.Output<string>>>;

  constructor(name: string, args: WarehouseDatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("novadrive:snowflake:WarehouseDatabase", name, {}, opts);
    const child = { parent: this };
    const database = new snowflake.Database(
      `${name}-database`,
      {
        name: args.database,
        comment: "NovaDrive: stage mirrors the source, analytics holds the models.",
        dropPublicSchemaOnCreation: true,
      },
      child,
    );
    const warehouse = new snowflake.Warehouse(
      `${name}-warehouse`,
      {
        name: args.warehouse,
        comment: "Loads and models of NovaDrive.",
        warehouseSize: args.size,
        // Each start is billed for a minute, so a shorter pause saves nothing.
        autoSuspend: args.autoSuspendSeconds,
        // A string in this provider.
        autoResume: "true",
        initiallySuspended: true,
        statementTimeoutInSeconds: args.statementTimeoutSeconds,
      },
      // A quota has a component of its own, which another role makes; a refresh must not have it taken away here.
      { ...child, ignoreChanges: ["resourceMonitor"] },
    );
    const comments = new Map(args.stageSchemas.map((schema) => [schema, "Mirrors the source, table by table."]));
    for (const [schema, comment] of Object.entries(OWN_SCHEMAS)) comments.set(schema, comment);
    this.schemaNames = Object.fromEntries(
      Array.from(comments, ([schema, comment]) => [
        schema,
        new snowflake.Schema(
          `${name}-${schema}`,
          {
            database: database.name,
            name: schema,
            comment,
            // The schema's owner grants, and nobody else: the runtime cannot hand its tables to others, and grants on future
            // objects need no MANAGE GRANTS, which would be leave to grant anything in the account.
            // https://docs.snowflake.com/en/user-guide/security-access-control-configure#creating-managed-access-schemas
            withManagedAccess: "true",
          },
          child,
        ).name,
      ]),
    );
    this.databaseName = database.name;
    this.warehouseName = warehouse.name;
    this.registerOutputs({
      databaseName: this.databaseName,
      warehouseName: this.warehouseName,
      schemaNames: this.schemaNames,
    });
  }
}

/**
 * The manifest's schemas in Snowflake's form, each once.
 *
 * @throws RunError if a table would stand among the models or the loader's own
 */
export function stageSchemaNames(tables: readonly Pick<ManifestTable, "name" | "schema">[]): string[] {
  const taken = tables.filter(({ schema }) => schema.toUpperCase() in OWN_SCHEMAS);
  if (taken.length > 0) {
    const list = taken.map(({ name, schema }) => `${name} in ${schema}`).join(", ");
    throw new pulumi.RunError(
      `The manifest puts stage tables into a schema that is not theirs: ${list}.\n` +
        `Give their source another "schema:" than ${Object.keys(OWN_SCHEMAS).join(" and ").toLowerCase()}, such as stage.`,
    );
  }
  return [...new Set(tables.map(({ schema }) => schema.toUpperCase()))];
}
