/** A stage table in memory: what batches make of a table of the source, without a warehouse. */
import { identifier } from "../../runtime/core/sql.ts";
import type { ManifestTable } from "../../runtime/manifest/manifest.ts";
import type { ReadScope, Source, TablePosition } from "../../runtime/source/source.ts";
import { extract } from "./extract.ts";
import type { TestDatabase } from "./postgres.ts";

export interface MirrorBatch extends ReadScope {
  /** Rows that were read. */
  readonly read: number;
}

type Queried = Pick<TestDatabase, "query">;

export class Mirror {
  readonly #db: Queried;
  readonly #table: ManifestTable;
  readonly #source: Source;
  readonly #rows = new Map<string, string>();
  /** Of the last batch. */
  position: TablePosition | undefined;

  constructor(db: Queried, table: ManifestTable, source: Source) {
    this.#db = db;
    this.#table = table;
    this.#source = source;
  }

  async batch(): Promise<MirrorBatch> {
    const table = this.#table;
    await this.#source.preflight([table]);
    await using snapshot = await this.#source.openSnapshot([table]);
    const scope = this.position
      ? snapshot.scope(table, this.position)
      : { since: undefined, why: "the first", sameGround: false };
    const { records } = await extract(snapshot, table, { since: scope.since });
    const keys = await extract(snapshot, table, { what: "keys" });
    const next = await snapshot.position({ table, previous: this.position, since: scope.since });
    await snapshot.settle();
    for (const record of records) this.#rows.set(this.#keyOf(record), JSON.stringify(record));
    const left = new Set(keys.records.map((key) => JSON.stringify(key)));
    if (table.sync.deletes === "hard") for (const key of this.#rows.keys()) if (!left.has(key)) this.#rows.delete(key);
    this.position = next;
    return { ...scope, read: records.length };
  }

  /** Changes what the last batch has left of itself. */
  forge(fence: Readonly<Record<string, string>>): void {
    if (this.position) this.position = { ...this.position, fence: { ...this.position.fence, ...fence } };
  }

  /** Rows, as JSON, that only one side has. */
  async differences(): Promise<readonly string[]> {
    const columns = this.#table.columns.map(({ name }) => `${identifier(name)}::text`).join(", ");
    const from = identifier(this.#table.sourceSchema, this.#table.sourceTable);
    const found = await this.#db.query<{ row: string }>(
      `SET TimeZone = 'UTC'; SELECT json_build_array(${columns})::text AS row FROM ${from}`,
    );
    const source = new Set(found.map(({ row }) => JSON.stringify(JSON.parse(row))));
    const stage = new Set(this.#rows.values());
    return [...source.symmetricDifference(stage)].toSorted();
  }

  #keyOf(record: readonly (string | null)[]): string {
    const { columns, primaryKey } = this.#table;
    return JSON.stringify(primaryKey.map((name) => record[columns.findIndex((column) => column.name === name)]));
  }
}
