/** A project of one table whose source moves away from the manifest, on either warehouse. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { loadConfig } from "../../runtime/config/config.ts";
import { EventBus } from "../../runtime/core/events.ts";
import type { BatchResult, TableResult } from "../../runtime/core/result.ts";
import { readManifest } from "../../runtime/manifest/read.ts";
import { runVerification } from "../../runtime/schedule/run-verification.ts";
import { Store } from "../../runtime/store/store.ts";
import { othersAreDone } from "./others-are-done.ts";
import { createProject, type Project, type WAREHOUSES } from "./project.ts";
import type { TestSnowflake } from "./test-snowflake.ts";

export interface DriftOptions {
  /** Statements; after the last one the table stands as the manifest says. */
  readonly source?: string | undefined;
  /** Columns of the manifest behind `id`, as lines of YAML in braces. */
  readonly columns?: readonly string[] | undefined;
  readonly meta?: string | undefined;
}

export const T = `CREATE TABLE t (id int PRIMARY KEY, note varchar(10), price numeric(10,2));
  INSERT INTO t SELECT i, 'note ' || i, i FROM generate_series(1, 50) i`;

export class Drift implements AsyncDisposable {
  readonly project: Project;
  readonly warehouse: (typeof WAREHOUSES)[number];

  private constructor(project: Project, warehouse: (typeof WAREHOUSES)[number]) {
    this.project = project;
    this.warehouse = warehouse;
  }

  /** After one good batch. */
  static async open(
    warehouse: (typeof WAREHOUSES)[number],
    {
      source = T,
      columns = ["name: note, data_type: varchar(10)", 'name: price, data_type: "decimal(10,2)"'],
      meta = "primary_key: [id], sync: {mode: incremental, detect: scan, deletes: hard}",
    }: DriftOptions = {},
  ): Promise<Drift> {
    const lines = ["name: id, data_type: integer, constraints: [{type: not_null}]", ...columns].map(
      (column) => `    - {${column}}`,
    );
    const tables = `- name: t\n  config: {meta: {${meta}}}\n  columns:\n${lines.join("\n")}\n`;
    await using made = new AsyncDisposableStack();
    const drift = new Drift(made.use(await createProject(warehouse, { source, tables })), warehouse);
    await drift.batch();
    await drift.equal();
    made.move();
    return drift;
  }

  /** Runs each statement by itself. */
  async source(...statements: string[]): Promise<void> {
    for (const statement of statements) await this.project.database.query(statement);
  }

  get file(): string {
    return join(this.project.projectDir, "models/manifest.yml");
  }

  async edit(from: string, to: string): Promise<void> {
    const text = await readFile(this.file, "utf8");
    expect(text).toContain(from);
    await writeFile(this.file, text.replace(from, to));
  }

  /** What the infrastructure program does on Snowflake: columns that are missing are added. DuckDB's tables are the runtime's own. */
  async pulumiUp(): Promise<void> {
    const { snowflake } = this.project as { snowflake?: TestSnowflake };
    await snowflake?.server.createStageTables(readManifest(this.file));
  }

  /** A batch that has to succeed. */
  async batch(): Promise<BatchResult & { readonly table: TableResult }> {
    await othersAreDone(this.project.database);
    const result = await this.project.run();
    expect(result.error).toBeUndefined();
    expect(result.status).toBe("success");
    const [table] = result.tables;
    if (!table) throw new Error("No table was loaded");
    return { ...result, table };
  }

  /** A batch that has to fail, and has to leave the stage table as it is. */
  async refused(): Promise<NonNullable<BatchResult["error"]>> {
    const before = await this.stage();
    const { status, error } = await this.project.run();
    expect(status).toBe("failed");
    expect(await this.stage()).toEqual(before);
    if (!error) throw new Error("The batch has no error");
    return error;
  }

  stage(columns = "*"): Promise<readonly (readonly (string | null)[])[]> {
    return this.project.ask(`SELECT ${columns} FROM stage.t ORDER BY 1`);
  }

  /** The columns of the manifest, as text, are the same on both sides. */
  async equal(): Promise<void> {
    const names = readManifest(this.file).tables[0]?.columns.map(({ name }) => name) ?? [];
    const columns = names.map((name) => `${name}::text`).join(", ");
    const rows = await this.project.database.query<{ row: (string | null)[] }>(
      `SELECT json_build_array(${columns}) AS row FROM t`,
    );
    const sorted = (all: readonly unknown[]) => all.map((row) => JSON.stringify(row)).toSorted();
    expect(sorted(await this.stage(names.join(", ")))).toEqual(sorted(rows.map(({ row }) => row)));
  }

  /** What the log of a batch says of the table. */
  logs(batch: number): string {
    using store = Store.open({ folder: this.project.stateDir });
    return store
      .logs(batch, { limit: 500 })
      .map(({ message }) => message)
      .join("\n");
  }

  async verify(repair = false) {
    const config = loadConfig({ environment: this.project.environment });
    using store = Store.open({ folder: config.stateDir });
    const events = new EventBus();
    events.subscribe((event) => event.batchId > 0 && store.record(event));
    return await runVerification({ config, store, events, signal: new AbortController().signal, repair });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.project[Symbol.asyncDispose]();
  }
}
