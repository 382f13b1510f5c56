/** Names of the runtime's own schemas and tables in the warehouse. */
import { identifier } from "../../../core/sql.ts";
import type { IncomingPurpose } from "../../warehouse.ts";
import type { ManifestTable } from "../../../manifest/manifest.ts";

export const PIPELINE = "pipeline";
export const INCOMING = "pipeline_incoming";

export const BATCHES = identifier(PIPELINE, "batches");
export const WATERMARKS = identifier(PIPELINE, "watermarks");
export const DELETED_KEYS = identifier(PIPELINE, "deleted_keys");
export const MODEL_BUILDS = identifier(PIPELINE, "model_builds");

export const FIRST_LOADS = identifier(PIPELINE, "first_loads");
export const FIRST_LOAD_FILES = identifier(PIPELINE, "first_load_files");

export function stageTable(table: ManifestTable): string {
  return identifier(table.schema, table.name);
}

/** It belongs to no batch: the next one may go on with it. */
export function firstLoadTable(table: ManifestTable): string {
  return identifier(INCOMING, firstLoadName(table));
}

export function firstLoadName(table: ManifestTable): string {
  return `first load of ${table.schema}.${table.name}`;
}

export function incomingTable(batchId: number, table: ManifestTable, purpose: IncomingPurpose): string {
  return identifier(INCOMING, `${batchId} ${purpose} ${table.schema}.${table.name}`);
}
