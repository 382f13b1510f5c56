/** Where a case of the model-based test takes place: a database with its writers, a warehouse, and batches between the two. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Client } from "pg";
import { systemClock } from "../../../runtime/core/clock.ts";
import { identifier } from "../../../runtime/core/sql.ts";
import type { KnownState } from "../../../runtime/load/load-batch.ts";
import { verifyTables } from "../../../runtime/load/verify.ts";
import type { Guards } from "../../../runtime/source/guards.ts";
import type { Source } from "../../../runtime/source/source.ts";
import { openWarehouse } from "../../../runtime/warehouse/open.ts";
import type { Warehouse } from "../../../runtime/warehouse/warehouse.ts";
import { startTestSnowflake, type TestSnowflake } from "../test-snowflake.ts";
import type { At } from "./hooked.ts";
import { loadInWorker } from "./load-in-worker.ts";
import { connectModel, loadModel, tablesOf, taskRunner } from "./load.ts";
import { differences, readInBatchSnapshot, readSource, readStage, type Contents } from "./oracle.ts";
import type { Batch, BatchFault, Case, Step } from "./steps.ts";
import { DROP_ALL, MODEL_TABLES, type TableName } from "./tables.ts";
import { Writers, type SilentChange } from "./writers.ts";

export interface WorldOptions {
  /** URL of a superuser's connection to a PostgreSQL server. */
  readonly serverUrl: string;
  readonly engine: "duckdb" | "snowflake";
  /** URL by which batches and verifications reach a database, if not directly. */
  readonly through?: ((url: string) => string) | undefined;
  /** For tests of the test: what is taken away. */
  readonly guards?: Partial<Guards> | undefined;
  /** For tests of the test: the warehouse without one of its guarantees. */
  readonly weaken?: ((warehouse: Warehouse) => Warehouse) | undefined;
}

/** What has been done so far. */
export interface Tally {
  cases: number;
  batches: number;
  published: number;
  failed: number;
  kills: number;
  drops: number;
  errors: number;
  verifications: number;
  /** Batches that waited for a lock of one of the writers. */
  waits: number;
}

export const newTally = (): Tally => ({
  cases: 0,
  batches: 0,
  published: 0,
  failed: 0,
  kills: 0,
  drops: 0,
  errors: 0,
  verifications: 0,
  waits: 0,
});

/** Milliseconds between two looks at whether a batch waits for a lock. */
const LOOK = 10;

export class World implements AsyncDisposable {
  readonly tally = newTally();
  readonly writers: Writers;
  readonly #options: WorldOptions;
  readonly #url: string;
  readonly #name: string;
  readonly #client: Client;
  /** Of translated statements, which all cases share. */
  readonly #cacheFolder: string;
  readonly #source: Source;
  /** What the batch that is under way does at its points. */
  #at: At = async () => {};
  /** Writers are not asked for two things at once. */
  #turn: Promise<void> = Promise.resolve();
  #place: Place | undefined;

  private constructor(options: WorldOptions, database: Database) {
    this.#options = options;
    this.#cacheFolder = database.cacheFolder;
    this.#url = options.through?.(database.url) ?? database.url;
    this.#name = database.name;
    this.#client = database.client;
    this.writers = database.writers;
    this.#source = connectModel(this.#url, (moment) => this.#at(moment), options.guards);
  }

  static async create(options: WorldOptions): Promise<World> {
    const name = `model_${randomBytes(5).toString("hex")}`;
    await onServer(options.serverUrl, `CREATE DATABASE ${identifier(name)} TEMPLATE template0`);
    const changed = new URL(options.serverUrl);
    changed.pathname = `/${name}`;
    const url = changed.href;
    const client = new Client({ connectionString: url, application_name: "oracle" });
    client.on("error", () => {});
    await client.connect();
    const cacheFolder = await mkdtemp(join(tmpdir(), "novadrive-model-cache-"));
    return new World(options, { url, name, client, cacheFolder, writers: await Writers.connect(url, name) });
  }

  /** From empty tables on, and to the end of every transaction. @throws Error that says what is not equal, and after which step */
  async run({ tables, steps }: Case): Promise<void> {
    const killed = steps.some((step) => step.do === "batch" && step.fault?.what === "kill");
    await this.#begin(tables, killed);
    this.tally.cases += 1;
    try {
      for (const [index, step] of [...steps, ...LAST].entries()) {
        const problems = await this.#step(step);
        if (problems.length > 0) throw new Error(`step ${index} (${step.do}):\n${problems.join("\n")}`);
      }
    } finally {
      await this.#end();
    }
  }

  async #begin(tables: readonly TableName[], killed: boolean): Promise<void> {
    await this.#client.query(`${DROP_ALL}; ${tables.map((name) => MODEL_TABLES[name].create).join(";")}`);
    const folder = await mkdtemp(join(tmpdir(), "novadrive-model-"));
    const snowflake = this.#options.engine === "snowflake" ? await startTestSnowflake() : undefined;
    await snowflake?.server.createStageTables({ file: "manifest.yml", tables: tablesOf(tables, "plain") });
    const url = snowflake?.url ?? `duckdb:${killed ? join(folder, "w.duckdb") : ":memory:"}`;
    this.#place = {
      tables,
      folder,
      snowflake,
      url,
      warehouse: await this.#open(url),
      kept: new Set(),
      codes: new Set(),
    };
  }

  #open(url: string): Promise<Warehouse> {
    return openWarehouse({ url, threads: 1, cacheFolder: this.#cacheFolder });
  }

  async #end(): Promise<void> {
    const place = this.#place;
    this.#place = undefined;
    await this.writers.reset();
    await place?.warehouse[Symbol.asyncDispose]();
    await place?.snowflake?.[Symbol.asyncDispose]();
    if (place) await rm(place.folder, { recursive: true, force: true });
  }

  get place(): Place {
    if (!this.#place) throw new Error("No case has begun");
    return this.#place;
  }

  async #step(step: Last): Promise<readonly string[]> {
    if (step.do === "batch") return this.#batch(step);
    if (step.do === "verify") return this.#verify();
    if (step.do === "sweep-unseen") {
      return this.writers.silent.length > 0 ? this.#batch({ do: "batch", how: "sweep", during: [] }) : [];
    }
    if (step.do === "settle") {
      await this.writers.settle();
      await this.writers.attachAll();
    } else await this.writers.run(step);
    return [];
  }

  async #batch(batch: Batch): Promise<readonly string[]> {
    const { place, tally } = this;
    const { tables, folder } = place;
    const before = (await place.warehouse.readState()).lastBatchId;
    const stageBefore = before === 0 ? undefined : await readStage(place.warehouse, tables);
    const batchId = before + 1;
    tally.batches += 1;
    const watch = this.#watch(batch);
    const common = { batchId, tables, how: batch.how, folder, remembered: place.remembered };
    let error: string | undefined;
    if (batch.fault?.what === "kill") {
      await place.warehouse[Symbol.asyncDispose]();
      const outcome = await loadInWorker({
        ...common,
        sourceUrl: this.#url,
        warehouseUrl: place.url,
        at: watch.at,
        dies: () => watch.dies,
      });
      place.remembered = undefined;
      if (outcome.killed) tally.kills += 1;
      error = outcome.error;
      place.warehouse = await this.#open(place.url);
      await this.#disconnected();
    } else {
      this.#at = watch.at;
      const outcome = await loadModel({
        ...common,
        source: this.#source,
        warehouse: place.warehouse,
        weaken: this.#options.weaken,
        at: watch.at,
        onWake: () => {
          place.remembered = undefined;
        },
      });
      place.remembered = outcome.state ?? place.remembered;
      error = outcome.error && `${outcome.error.code}: ${outcome.error.message}`;
    }
    await watch.stop();
    const now = (await place.warehouse.readState()).lastBatchId;
    const stage = now === 0 ? undefined : await readStage(place.warehouse, tables);
    if (error !== undefined && now === before) {
      tally.failed += 1;
      if (!watch.disturbed) return [`failed without a fault: ${error}`];
      return stageBefore && stage
        ? differences(stageBefore, stage, EXACT).map((line) => `a batch that failed: ${line}`)
        : [];
    }
    tally.published += 1;
    const { shown, covered } = watch.seen();
    if (!shown) return ["published without a snapshot"];
    if (batch.how !== "plain" && error === undefined) {
      this.writers.silent = this.writers.silent.filter((change) => !covered.includes(change));
    }
    if (!stage) return ["nothing is published"];
    for (const row of shown.get("appended") ?? []) place.kept.add(JSON.stringify(row));
    for (const [code] of shown.get("softly") ?? []) place.codes.add(String(code));
    const unseen = new Set(this.writers.silent.map(({ key }) => key));
    return [...differences(shown, stage, { unseen, kept: place.kept }), ...(await this.#lostCodes())];
  }

  /** Rows that were deleted softly stay. */
  async #lostCodes(): Promise<readonly string[]> {
    const { warehouse, tables, codes } = this.place;
    if (!tables.includes("softly")) return [];
    const there = new Set((await warehouse.query("select code from stage.softly")).rows.map(([code]) => String(code)));
    return [...codes].filter((code) => !there.has(code)).map((code) => `softly has lost ${code}`);
  }

  /** What happens during a batch, and what its snapshot shows. */
  #watch({ during, fault }: Batch): Watch {
    const state = { points: 0, disturbed: false, dies: undefined as BatchFault | undefined };
    const over = new AbortController();
    const told = new Set<string>();
    let shown: Contents | undefined;
    let covered: readonly SilentChange[] = [];
    const at: At = (moment) =>
      this.#inTurn(async () => {
        const point = state.points++;
        if (moment === "shown") {
          covered = this.writers.silent.filter((change) => change.ended);
          shown = await readInBatchSnapshot(this.#client, this.place.tables);
        }
        if (moment !== undefined && !told.has(moment)) {
          told.add(moment);
          for (const { when, write } of during) if (when === moment) await this.writers.run(write);
        }
        if (fault?.at !== point) return;
        state.disturbed = true;
        if (fault.what === "kill") state.dies = fault;
        else await this.#disturb(fault.what);
      });
    const looking = this.#letGo(over.signal);
    return {
      at,
      get dies() {
        return state.dies;
      },
      get disturbed() {
        return state.disturbed;
      },
      seen: () => ({ shown, covered }),
      stop: async () => {
        over.abort();
        await looking;
        await this.#turn;
      },
    };
  }

  async #disturb(what: "error" | "drop"): Promise<void> {
    if (what === "error") {
      this.tally.errors += 1;
      throw new Error("The test lets this call fail");
    }
    this.tally.drops += 1;
    await this.#client.query(
      "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'novadrive'",
    );
  }

  /** A batch that waits for a lock of one of the writers would wait for ever: nothing else happens meanwhile. They end their transactions then. */
  async #letGo(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      await wait(LOOK, undefined, { signal: over }).catch(() => {});
      if (!this.writers.exclusive || over.aborted) continue;
      await this.#inTurn(async () => {
        const { rows } = await this.#client.query(
          "SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database() AND application_name = 'novadrive'",
        );
        if (rows.length === 0) return;
        this.tally.waits += 1;
        await this.writers.settle();
      });
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => {});
    return mine;
  }

  /** Backends of a process that was killed hear of it at their next look at the socket. Idle ones are in this process's own pool. */
  async #disconnected(): Promise<void> {
    for (;;) {
      const { rows } = await this.#client.query(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'novadrive' AND state <> 'idle'",
      );
      if (rows.length === 0) return;
      await wait(LOOK);
    }
  }

  /** Whatever has been written since the last batch, it finds all equal but what a cursor cannot see. */
  async #verify(): Promise<readonly string[]> {
    const { warehouse, tables } = this.place;
    const { watermarks } = await warehouse.readState();
    if (this.writers.exclusive || tables.some((name) => !watermarks.has(name))) return [];
    this.tally.verifications += 1;
    this.#at = async () => {};
    const verified = await verifyTables({
      tables: tablesOf(tables, "plain"),
      source: this.#source,
      warehouse,
      tasks: taskRunner(0),
      clock: systemClock,
      concurrency: 1,
    });
    const unseen = new Set(this.writers.silent.map(({ key }) => key));
    return verified.tables.flatMap(({ name, equal, keys = [], ...rest }) => {
      if (equal) return [];
      // Among rows that were overlooked, those that were deleted since cannot be told from those that were never to be there.
      const loose = name === "pointed" && unseen.size > 0;
      const found = keys.filter(({ key, is }) => !loose || (is !== "extra" && !unseen.has(String(key))));
      return keys.length > 0 && found.length === 0 ? [] : [`verify: ${JSON.stringify({ name, keys, ...rest })}`];
    });
  }

  /** The source as it is now. */
  source(): Promise<Contents> {
    return readSource(this.#client, this.place.tables);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source[Symbol.asyncDispose]();
    await this.writers[Symbol.asyncDispose]();
    await this.#client.end();
    await rm(this.#cacheFolder, { recursive: true, force: true });
    await onServer(this.#options.serverUrl, `DROP DATABASE ${identifier(this.#name)} WITH (FORCE)`);
  }
}

interface Database {
  readonly url: string;
  readonly name: string;
  /** A session that only looks. */
  readonly client: Client;
  readonly cacheFolder: string;
  readonly writers: Writers;
}

/** Nothing is let pass. */
const EXACT = { unseen: new Set<string>(), kept: new Set<string>() };

type Last = Step | { readonly do: "settle" } | { readonly do: "sweep-unseen" };

/** What was open is committed, and comes with the next batch; what a cursor missed comes with a scan. */
const LAST: readonly Last[] = [
  { do: "settle" },
  { do: "batch", how: "plain", during: [] },
  { do: "verify" },
  { do: "sweep-unseen" },
];

interface Place {
  readonly tables: readonly TableName[];
  readonly folder: string;
  readonly snowflake: TestSnowflake | undefined;
  readonly url: string;
  warehouse: Warehouse;
  /** Rows, as JSON, that batches have shown of the table whose deletes are not looked for. */
  readonly kept: Set<string>;
  /** Keys that batches have shown of the table whose deleted rows stay. */
  readonly codes: Set<string>;
  remembered?: KnownState | undefined;
}

interface Watch {
  readonly at: At;
  /** Set from the point on at which the process is to be killed. */
  readonly dies: BatchFault | undefined;
  /** Whether the fault has happened. */
  readonly disturbed: boolean;
  seen(): { readonly shown: Contents | undefined; readonly covered: readonly SilentChange[] };
  stop(): Promise<void>;
}

async function onServer(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url, application_name: "oracle" });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
