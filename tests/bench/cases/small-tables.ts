/** Many small tables: a first load, then batches that find nothing. */
import { join } from "node:path";
import { Batches } from "../batches.ts";
import { smallTables } from "../bench-table.ts";
import { environmentOf, type BenchCase, type BenchContext } from "../context.ts";
import { createTable, writeElsewhere } from "../data.ts";
import { BY_SCAN, writeProject } from "../project.ts";

/** Of each table. */
const ROWS = 1000;
/** As many as the dealership has. */
const FEW = 7;

export class SmallTables implements BenchCase {
  readonly #context: BenchContext;
  readonly #sets: readonly { readonly count: number; readonly batches: Batches }[];

  constructor(context: BenchContext) {
    this.#context = context;
    const counts = [...new Set([Math.min(FEW, context.tables), context.tables])];
    this.#sets = counts.map((count) => ({ count, batches: new Batches(context.say) }));
  }

  #project(count: number): string {
    return join(this.#context.folder, `small-${count}`);
  }

  async prepare(): Promise<void> {
    for (const table of smallTables(this.#context.tables)) await createTable(this.#context.url, table, ROWS);
    for (const { count } of this.#sets) await writeProject(this.#project(count), smallTables(count), BY_SCAN);
  }

  async run(place: string): Promise<void> {
    const { url, folder, say } = this.#context;
    for (const { count, batches } of this.#sets) {
      say(`  ${count} tables of ${ROWS} rows:`);
      const environment = environmentOf({
        url,
        folder,
        warehouse: `duckdb:${join(place, `small-${count}.duckdb`)}`,
        state: join(place, `small-${count}`),
        project: this.#project(count),
      });
      // There is no COPY that all of this could be held against: seconds count here.
      await batches.batch("first_load", { environment, expect: { inserted: count * ROWS } });
      await batches.batch("unchanged", { environment, expect: {}, looks: "at none" });
      await writeElsewhere(url);
      await batches.batch("unchanged_level_1", { environment, expect: {}, looks: "at all" });
    }
  }

  report() {
    return Object.fromEntries(
      this.#sets.map(({ count, batches }) => [`tables_${count}`, { rows_each: ROWS, ...batches.report() }]),
    );
  }
}
