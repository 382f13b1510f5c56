/** The first load of one table. */
import { join } from "node:path";
import { Batches } from "../batches.ts";
import type { BenchTable } from "../bench-table.ts";
import { environmentOf, type BenchCase, type BenchContext } from "../context.ts";
import { createTable } from "../data.ts";
import { BY_SCAN, writeProject } from "../project.ts";

export class FirstLoad implements BenchCase {
  readonly #context: BenchContext;
  readonly #name: string;
  readonly #table: BenchTable;
  readonly #rows: number;
  readonly #batches: Batches;

  /** @param name of its part of the report */
  constructor(context: BenchContext, name: string, table: BenchTable, rows: number) {
    this.#context = context;
    this.#name = name;
    this.#table = table;
    this.#rows = rows;
    this.#batches = new Batches(context.say);
  }

  get #project(): string {
    return join(this.#context.folder, this.#table.name);
  }

  async prepare(): Promise<void> {
    await createTable(this.#context.url, this.#table, this.#rows);
    await writeProject(this.#project, [this.#table], BY_SCAN);
  }

  async run(place: string): Promise<void> {
    const environment = environmentOf({
      url: this.#context.url,
      folder: this.#context.folder,
      warehouse: `duckdb:${join(place, `${this.#table.name}.duckdb`)}`,
      state: join(place, this.#table.name),
      project: this.#project,
    });
    const raw = await this.#context.rawCopies.measure(this.#table.name);
    await this.#batches.batch("first_load", { environment, raw, expect: { inserted: this.#rows } });
  }

  report() {
    return {
      [this.#name]: {
        rows: this.#rows,
        columns: this.#table.columns.length,
        raw_copy: this.#context.rawCopies.report(this.#table.name),
        ...this.#batches.report(),
      },
    };
  }
}
