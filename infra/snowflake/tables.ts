/** One stage table for each table of the manifest. */
import * as pulumi from "@pulumi/pulumi";
import * as snowflake from "@pulumi/snowflake";
import { stageColumns, type ManifestTable } from "../../runtime/manifest/manifest.ts";
import { exactType } from "../../runtime/manifest/warehouse-type.ts";

export interface StageTablesArgs {
  readonly database: pulumi.Input<string>;
  /** By UPPER CASE name; has every schema that the tables name. */
  readonly schemas: Readonly<Record<string, pulumi.Input<string>>>;
  readonly tables: readonly ManifestTable[];
}

interface StageTableColumn {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly comment?: string;
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
        { parent: this },
      );
    });
    this.qualifiedNames = pulumi.all(
      tables.map((table) => pulumi.interpolate`${table.database}.${table.schema}.${table.name}`),
    );
    this.registerOutputs({ qualifiedNames: this.qualifiedNames });
  }
}

/**
 * The columns of a stage table in Snowflake: the load's own first, then those of the manifest in its order.
 *
 * The load's own cannot stand last: Snowflake puts a new column behind all others, and the provider compares the list by position
 * with what DESCRIBE says, so a manifest that grew would show a difference at every `up`, for ever.
 */
function stageTableColumns(table: ManifestTable): StageTableColumn[] {
  const all = stageColumns(table);
  const own = all.slice(table.columns.length);
  return [...own, ...table.columns].map(({ name, type, nullable, description }) => ({
    name: name.toUpperCase(),
    type: exactType(type),
    nullable,
    ...(description === undefined ? {} : { comment: description.trim() }),
  }));
}
