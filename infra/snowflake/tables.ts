/** One stage table for each table of the manifest. */
import * as pulumi from "@pulumi/pulumi";
import * as snowflake from "@pulumi/snowflake";
import type { ManifestTable } from "../../runtime/manifest/manifest.ts";
import { stageTableColumns } from "../../runtime/manifest/stage-table.ts";

export interface StageTablesArgs {
  readonly database: pulumi.Input<string>;
  /** By UPPER CASE name; has every schema that the tables name. */
  readonly schemas: Readonly<Record<string, pulumi.Input<string>>>;
  readonly tables: readonly ManifestTable[];
  /** What must be there before the first table: the grants on future tables. Options of a component do not reach its children. */
  readonly after?: readonly pulumi.Resource[] | undefined;
}

export class StageTables extends pulumi.ComponentResource {
  /** `DATABASE.SCHEMA.TABLE`, in the manifest's order. */
  readonly qualifiedNames: pulumi.Output<string[]>;

  constructor(name: string, args: StageTablesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("novadrive:snowflake:StageTables", name, {}, opts);
    const tables = args.tables.map((table) => {
      const schema = args.schemas[table.schema.toUpperCase()];
      if (schema === undefined) throw new RangeError(`No schema ${table.schema} for table ${table.name}`);
      return new snowflake.Table(
        `${name}-${table.name.toUpperCase()}`,
        {
          database: args.database,
          schema,
          name: table.name.toUpperCase(),
          columns: stageTableColumns(table),
          ...(table.description === undefined ? {} : { comment: table.description.trim() }),
        },
        { parent: this, dependsOn: [...(args.after ?? [])] },
      );
    });
    this.qualifiedNames = pulumi.all(
      tables.map((table) => pulumi.interpolate`${table.database}.${table.schema}.${table.name}`),
    );
    this.registerOutputs({ qualifiedNames: this.qualifiedNames });
  }
}
