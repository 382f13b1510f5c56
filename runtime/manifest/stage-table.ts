/** A stage table as it stands in Snowflake: what the infrastructure program makes, and the runtime expects. */
import { stageColumns, type ManifestTable } from "./manifest.ts";
import { exactType } from "./warehouse-type.ts";

export interface StageTableColumn {
  /** UPPER CASE, as every name in Snowflake. */
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly comment?: string;
}

/**
 * The columns of a stage table in Snowflake: the load's own first, then those of the manifest in its order.
 *
 * The load's own cannot stand last: Snowflake puts a new column behind all others, and the provider compares the list by position
 * with what DESCRIBE says, so a manifest that grew would show a difference at every `up`, for ever.
 */
export function stageTableColumns(table: ManifestTable): StageTableColumn[] {
  const all = stageColumns(table);
  const own = all.slice(table.columns.length);
  return [...own, ...table.columns].map(({ name, type, nullable, description }) => ({
    name: name.toUpperCase(),
    type: exactType(type),
    nullable,
    ...(description === undefined ? {} : { comment: description.trim() }),
  }));
}
