/** The database, its schemas, and the warehouse that does the work. */
import * as pulumi from "@pulumi/pulumi";
import * as snowflake from "@pulumi/snowflake";

export interface WarehouseDatabaseArgs {
  /** UPPER CASE, as every name in Snowflake: the provider quotes names, and a quoted lower-case name must be quoted for ever. */
  readonly database: string;
  readonly warehouse: string;
  readonly size: string;
  readonly autoSuspendSeconds: number;
  readonly statementTimeoutSeconds: number;
  /** Schemas of the stage tables, as the manifest writes them; repetitions are welcome. */
  readonly stageSchemas: readonly string[];
}

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
      child,
    );
    const comments = new Map(
      args.stageSchemas.map((schema) => [schema.toUpperCase(), "Mirrors the source, table by table."]),
    );
    comments.set("ANALYTICS", "The models.");
    comments.set("PIPELINE", "The loader's own: batches, watermarks, files on their way in.");
    this.schemaNames = Object.fromEntries(
      Array.from(comments, ([schema, comment]) => [
        schema,
        new snowflake.Schema(`${name}-${schema}`, { database: database.name, name: schema, comment }, child).name,
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
