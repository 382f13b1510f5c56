/** A source whose first load dies, and what is needed to see what came of it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseManifest } from "../../../runtime/manifest/read.ts";
import { othersAreDone } from "../../support/others-are-done.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";
import { loadOnce, type LoadedOnce, type LoadOnce } from "./load.ts";
import { openPlace, type Engine, type Place } from "./place.ts";

export const ROWS = 10_000;
export const TABLE = `CREATE TABLE t (id int PRIMARY KEY, note text);`;
export const FILL = `INSERT INTO t SELECT i, i || repeat('x', 900) FROM generate_series(1, ${ROWS}) i;`;

/** Rows that were read before and rows that were not, changed in every way. */
export const CHANGES = `
  UPDATE t SET note = 'changed ' || id WHERE id % 250 = 0;
  DELETE FROM t WHERE id % 250 = 1;
  UPDATE t SET id = id + 1000000 WHERE id % 250 = 2;
  INSERT INTO t SELECT i, 'new' FROM generate_series(2000001, 2000050) i;
  DELETE FROM t WHERE id % 250 = 3;
  INSERT INTO t SELECT i, 'again' FROM generate_series(3, ${ROWS}, 250) i;`;
export const CHANGED = 6 * (ROWS / 250) + 50;

export interface ResumeTest extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly place: Place;
  /** undefined if it was killed. */
  load(options?: Partial<LoadOnce>): Promise<LoadedOnce | undefined>;
  /** Rows that only one side has, of each table. */
  differences(): Promise<readonly string[]>;
}

export interface ResumeOptions {
  readonly engine: Engine;
  /** SQL that makes and fills the tables. */
  readonly source: string;
  /** Manifest entries of the tables, indented by six. */
  readonly tables: string;
}

export const tableEntry = (
  name: string,
  extra = "primary_key: [id], sync: {mode: incremental, detect: scan, deletes: hard}",
) =>
  `      - name: ${name}
        config: {meta: {${extra}}}
        columns:
          - {name: id, data_type: integer}
          - {name: note, data_type: text}
`;

export async function createResumeTest({ engine, source, tables }: ResumeOptions): Promise<ResumeTest> {
  const database = await createTestDatabase();
  await database.query(source);
  const folder = await mkdtemp(join(tmpdir(), "novadrive-resume-"));
  const place = await openPlace(engine, folder);
  const manifest = manifestOf(tables);
  const names = [...tables.matchAll(/- name: (\w+)\n/g)].map(([, name]) => name ?? "");
  let batchId = 0;
  return {
    database,
    place,
    async load(options = {}) {
      batchId += 1;
      await othersAreDone(database);
      const shared = { sourceUrl: database.url, warehouseUrl: place.url, folder, fileBytes: 1 << 19, keepFrom: 0 };
      const given: LoadOnce = { ...shared, manifest, batchId, ...options };
      await place.makeStageTables(parseManifest("manifest.yml", given.manifest));
      if (!given.dieAt || given.dieAt.ends === "connections") return await loadOnce(given);
      const script = join(import.meta.dirname, "load-once.ts");
      const child = spawn(process.execPath, [script, JSON.stringify(given)], { stdio: ["ignore", "pipe", "pipe"] });
      const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
      if (child.signalCode === "SIGKILL") return undefined;
      if (output === "") throw new Error(`The load ended with ${child.exitCode}: ${errors}`);
      return JSON.parse(output) as LoadedOnce;
    },
    async differences() {
      const found: string[] = [];
      for (const name of names) {
        const wanted = await database.query<{ id: string; note: string }>(`SELECT id::text, note FROM ${name}`);
        const stage = await place.rows(name);
        const source = wanted.map(({ id, note }) => JSON.stringify([id, note])).toSorted();
        const there = stage.map((row) => JSON.stringify(row)).toSorted();
        if (source.length === there.length && source.every((row, index) => row === there[index])) continue;
        const [left, right] = [new Set(source), new Set(there)];
        found.push(`${name}: ${source.length} rows in the source, ${there.length} in the stage table`);
        for (const row of left.difference(right)) found.push(`${name} lacks ${row.slice(0, 40)}`);
        for (const row of right.difference(left)) found.push(`${name} should not have ${row.slice(0, 40)}`);
      }
      return found.slice(0, 20);
    },
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const manifestOf = (tables: string): string => `version: 2
sources:
  - name: stage
    schema: stage
    config: {meta: {source_schema: public}}
    tables:
${tables}`;
