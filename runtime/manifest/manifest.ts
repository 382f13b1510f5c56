/** The manifest as the program knows it, after reading and validation. */
import type { WarehouseType } from "./warehouse-type.ts";

export interface Manifest {
  /** Path of the file it was read from, for messages. */
  readonly file: string;
  readonly tables: readonly ManifestTable[];
}

export interface ManifestTable {
  /** Name in the stage schema, and in messages; unique in the manifest. */
  readonly name: string;
  /** The dbt source it belongs to: `source('<sourceName>', '<name>')`. */
  readonly sourceName: string;
  /** Schema in the warehouse. */
  readonly schema: string;
  /** Where it stands in PostgreSQL. */
  readonly sourceSchema: string;
  readonly sourceTable: string;
  readonly description?: string | undefined;
  /** Empty only where `sync.mode` is `full_refresh`. */
  readonly primaryKey: readonly string[];
  readonly sync: SyncSettings;
  /** In the order of the file, which is the order in the warehouse. */
  readonly columns: readonly ManifestColumn[];
  /** Line of the table in the file, counted from 1. */
  readonly line: number;
}

type SyncMode = "full_refresh" | "append" | "incremental";

export interface SyncSettings {
  readonly mode: SyncMode;
  /**
   * Column whose value grows with each change (incremental) or each row (append), or several of which the latest counts. See `cursorsOf`.
   */
  readonly cursor?: string | readonly string[] | undefined;
  /**
   * How changed rows are found. `scan`: by their row versions, in one pass over the table. `cursor`: by their cursor. Undefined: whichever is
   * cheaper for a table of its size and its indexes.
   */
  readonly detect?: "scan" | "cursor" | undefined;
  /** `hard`: stage mirrors the source's deletes. `soft`: such rows stay, with `_deleted_at` set. `ignore`: they stay as they are. */
  readonly deletes: "hard" | "soft" | "ignore";
  /** When deletes are looked for: in each `batch` (which undefined means), or only where all rows are read, and by `verify`. */
  readonly deleteCheck?: "batch" | "verify" | undefined;
}

export interface ManifestColumn {
  readonly name: string;
  readonly type: WarehouseType;
  readonly nullable: boolean;
  readonly description?: string | undefined;
  readonly onMisfit?: MisfitPolicy | undefined;
}

/**
 * What becomes of a value that the column's type cannot hold; without one the load fails. `null`: it is loaded as NULL. `text`: the column is a
 * text, and what the type that would else be proposed for it could not hold is loaded as PostgreSQL writes it. Both are counted.
 */
export type MisfitPolicy = "text" | "null";

/** The two columns that every stage table has behind those of the manifest. */
export const SYNCED_AT = "_synced_at";
export const BATCH_ID = "_batch_id";
/** The third one, where deletes are soft. */
export const DELETED_AT = "_deleted_at";

/** Whether rows that the source has deleted stay, and are told by `_deleted_at`. */
export const keepsDeleted = ({ sync }: ManifestTable): boolean => sync.deletes === "soft";

/** Whether it may hold rows that the source has deleted, marked or not. */
export const keepsRows = ({ sync }: ManifestTable): boolean =>
  sync.deletes === "soft" || (sync.mode !== "full_refresh" && sync.deletes === "ignore");

/** Column by name. @throws RangeError if the table has none, which validation rules out for keys and cursors */
export function columnOf(table: ManifestTable, name: string): ManifestColumn {
  const column = table.columns.find((candidate) => candidate.name === name);
  if (!column) throw new RangeError(`Table ${table.name} has no column ${name}`);
  return column;
}

/** The cursor's columns; none where there is no cursor. */
export function cursorsOf({ cursor }: SyncSettings): readonly string[] {
  if (cursor === undefined) return [];
  return typeof cursor === "string" ? [cursor] : cursor;
}

/** All columns of the stage table, those that the load adds included, in order. */
export function stageColumns(table: ManifestTable): readonly ManifestColumn[] {
  return [
    ...table.columns,
    {
      name: SYNCED_AT,
      type: { kind: "timestamp_ltz", precision: 9 },
      nullable: false,
      description: "Snapshot time of the batch that last wrote the row.",
    },
    {
      name: BATCH_ID,
      type: { kind: "number", precision: 38, scale: 0 },
      nullable: false,
      description: "Batch that last wrote the row.",
    },
    ...(keepsDeleted(table)
      ? [
          {
            name: DELETED_AT,
            type: { kind: "timestamp_ltz", precision: 9 },
            nullable: true,
            description: "Snapshot time of the batch that first missed the row in the source; NULL while it is there.",
          } as const,
        ]
      : []),
  ];
}
