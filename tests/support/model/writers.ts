/** The sessions that write to the source: each statement of a case is one of theirs. */
import { Client } from "pg";
import { identifier, literal } from "../../../runtime/core/sql.ts";
import { MODEL_TABLES, REGIONS, type TableName } from "./tables.ts";
import { SESSIONS, type Write } from "./steps.ts";

/**
 * Milliseconds that a statement waits for what another session or the batch has locked. Nobody lets go meanwhile, since everything here happens
 * one after the other: it is refused, always the same way.
 */
const LOCK_TIMEOUT = 3;
/** Milliseconds. What no lock timeout ends is to fail rather than to hang: VACUUM waits as long as it takes for a page that a batch holds. */
const STATEMENT_TIMEOUT = 30_000;
/** All tests of a run share the server's ten. */
const PREPARED_AT_MOST = 2;

/** A change of a row that its cursor does not tell of; it may still be undone. */
export interface SilentChange {
  readonly key: string;
  /** Whether its transaction has ended. */
  ended: boolean;
}

interface Writer {
  readonly client: Client;
  open: boolean;
  savepoints: number;
  /** Changed in the transaction that is open. */
  silent: SilentChange[];
  /** Whether the transaction has locked readers out. */
  exclusive: boolean;
}

interface Prepared {
  readonly gid: string;
  readonly silent: readonly SilentChange[];
  readonly exclusive: boolean;
}

export class Writers implements AsyncDisposable {
  readonly #writers: readonly Writer[];
  /** Never in a transaction of its own: for what cannot run inside one. */
  readonly #upkeep: Writer;
  readonly #name: string;
  #prepared: Prepared[] = [];
  #count = 0;
  /** Since they were last taken away by what makes them good. */
  silent: SilentChange[] = [];
  /** Statements that took effect, and those that were refused. */
  done = 0;
  refused = 0;

  private constructor(clients: readonly Client[], upkeep: Client, name: string) {
    const writer = (client: Client): Writer => ({ client, open: false, savepoints: 0, silent: [], exclusive: false });
    this.#writers = clients.map(writer);
    this.#upkeep = writer(upkeep);
    this.#name = name;
  }

  /** @param name of the database, by which prepared transactions are told apart */
  static async connect(url: string, name: string): Promise<Writers> {
    const open = async (): Promise<Client> => {
      const client = new Client({ connectionString: url, application_name: "writer" });
      client.on("error", () => {});
      await client.connect();
      await client.query(`SET lock_timeout = ${LOCK_TIMEOUT}; SET statement_timeout = ${STATEMENT_TIMEOUT}`);
      return client;
    };
    const clients = await Promise.all(Array.from({ length: SESSIONS }, open));
    return new Writers(clients, await open(), name);
  }

  /** Whether a batch would have to wait for one of them. */
  get exclusive(): boolean {
    return this.#writers.some((writer) => writer.exclusive) || this.#prepared.some((prepared) => prepared.exclusive);
  }

  async run(write: Write): Promise<void> {
    switch (write.do) {
      case "begin":
        return this.#begin(this.#writer(write.s));
      case "commit":
      case "rollback":
        return this.#end(this.#writer(write.s), write.do);
      case "prepare":
        return this.#prepare(this.#writer(write.s));
      case "commit-prepared":
      case "rollback-prepared":
        return this.#settle(write.do === "commit-prepared" ? "COMMIT" : "ROLLBACK");
      case "savepoint":
      case "rollback-to":
        return this.#savepoint(this.#writer(write.s), write.do);
      case "silent":
        return this.#silently(
          this.#writer(write.s),
          write.k,
          `UPDATE pointed SET value = ${write.v}, note = 'silent' WHERE id = ${write.k}`,
        );
      case "freeze":
      case "rewrite":
      case "swap":
      case "analyze":
      case "detach":
      case "attach":
      case "truncate-part":
      case "restart-identity":
        return void (await this.#try(this.#upkeep, maintenanceSql(write)));
      case "truncate":
        return this.#truncate(this.#writer(write.s), write.t);
      case "burn":
      case "put":
      case "change":
      case "delete":
      case "rekey":
      case "bulk":
      case "no-cursor":
        return void (await this.#try(this.#writer(write.s), writeSql(write)));
    }
  }

  /** Ends every transaction that is open, those that are prepared too. */
  async settle(): Promise<void> {
    for (const writer of this.#writers) await this.#end(writer, "commit");
    while (this.#prepared.length > 0) await this.#settle("COMMIT");
  }

  /** A detached partition holds rows that nobody reads; its own statement is refused while it is attached. */
  async attachAll(): Promise<void> {
    for (const region of REGIONS) await this.run({ do: "attach", region });
  }

  #writer(index: number): Writer {
    const writer = this.#writers[index];
    if (!writer) throw new RangeError(`No session ${index}`);
    return writer;
  }

  async #begin(writer: Writer): Promise<void> {
    if (writer.open) return;
    await writer.client.query("BEGIN");
    writer.open = true;
  }

  async #end(writer: Writer, how: "commit" | "rollback"): Promise<void> {
    if (!writer.open) return;
    await writer.client.query(how === "commit" ? "COMMIT" : "ROLLBACK");
    this.#closed(writer, true);
  }

  #closed(writer: Writer, ended: boolean): void {
    if (ended) for (const change of writer.silent) change.ended = true;
    Object.assign(writer, { open: false, savepoints: 0, silent: [], exclusive: false });
  }

  async #prepare(writer: Writer): Promise<void> {
    if (!writer.open || this.#prepared.length >= PREPARED_AT_MOST) return;
    const gid = `${this.#name}_${this.#count++}`;
    const { silent, exclusive } = writer;
    try {
      await writer.client.query(`PREPARE TRANSACTION ${literal(gid)}`);
      this.#prepared.push({ gid, silent, exclusive });
      this.#closed(writer, false);
    } catch {
      // All places are taken; the transaction is rolled back then.
      await writer.client.query("ROLLBACK");
      this.#closed(writer, true);
    }
  }

  async #settle(how: "COMMIT" | "ROLLBACK"): Promise<void> {
    const prepared = this.#prepared.shift();
    if (!prepared) return;
    await this.#upkeep.client.query(`${how} PREPARED ${literal(prepared.gid)}`);
    for (const change of prepared.silent) change.ended = true;
  }

  async #savepoint(writer: Writer, what: "savepoint" | "rollback-to"): Promise<void> {
    if (!writer.open) return;
    if (what === "savepoint") {
      await writer.client.query(`SAVEPOINT s${writer.savepoints}`);
      writer.savepoints += 1;
    } else if (writer.savepoints > 0) await this.#undo(writer);
  }

  async #undo(writer: Writer): Promise<void> {
    if (writer.savepoints > 0) {
      writer.savepoints -= 1;
      await writer.client.query(`ROLLBACK TO s${writer.savepoints}; RELEASE s${writer.savepoints}`);
    } else {
      await writer.client.query("ROLLBACK");
      this.#closed(writer, true);
    }
  }

  async #silently(writer: Writer, key: number, sql: string): Promise<void> {
    const change: SilentChange = { key: String(key), ended: !writer.open };
    if (!(await this.#try(writer, sql))) return;
    this.silent.push(change);
    if (writer.open) writer.silent.push(change);
  }

  async #truncate(writer: Writer, table: TableName): Promise<void> {
    if ((await this.#try(writer, `TRUNCATE ${identifier(table)}`)) && writer.open) writer.exclusive = true;
  }

  /** @returns whether it took effect */
  async #try(writer: Writer, sql: string): Promise<boolean> {
    try {
      await writer.client.query(sql);
      this.done += 1;
      return true;
    } catch (thrown) {
      if (
        !(
          thrown instanceof Error &&
          "code" in thrown &&
          typeof thrown.code === "string" &&
          /^(23|55|25|42P07|42P01|42809|0A)/.test(thrown.code)
        )
      )
        throw thrown;
      this.refused += 1;
      if (writer.open) await this.#undo(writer);
      return false;
    }
  }

  /** Takes back all that is open, so that another case can begin. */
  async reset(): Promise<void> {
    for (const writer of this.#writers) await this.#end(writer, "rollback");
    while (this.#prepared.length > 0) await this.#settle("ROLLBACK");
    this.silent = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.reset();
    for (const { client } of [...this.#writers, this.#upkeep]) await client.end();
  }
}

type RowWrite = Extract<Write, { do: "put" | "change" | "delete" | "rekey" | "bulk" | "burn" | "no-cursor" }>;

/** A number of letters that changes with the value, or no letters, or none at all. */
const noteOf = (v: number): string => (v % 4 === 0 ? "NULL" : literal(v % 4 === 1 ? "" : "é\n\"'\\N,".repeat(v % 3)));

function writeSql(write: RowWrite): string {
  switch (write.do) {
    case "burn":
      return "SELECT pg_current_xact_id()";
    case "no-cursor":
      return `UPDATE pointed SET value = ${write.v}, changed = NULL WHERE id = ${write.k}`;
    case "put":
      return putSql(write.t, write.k, write.v);
    case "change":
      // Rows are only ever added to it.
      if (write.t === "appended") return putSql(write.t, write.k, write.v);
      return `UPDATE ${write.t} SET value = ${write.v}, note = ${noteOf(write.v)}${touched(write.t)} WHERE ${where(write.t, write.k)}`;
    case "delete":
      return `DELETE FROM ${write.t} WHERE ${where(write.t, write.k)}`;
    case "bulk":
      if (write.t === "appended") return `${putSql(write.t, 0, write.v)}; ${putSql(write.t, 0, write.v)}`;
      return `UPDATE ${write.t} SET value = ${write.v}${touched(write.t)}`;
    case "rekey":
      return rekeySql(write.t, write.k, write.to);
  }
}

const touched = (table: TableName): string => (table === "pointed" ? ", changed = now()" : "");

const code = (k: number): string => literal(`é${k}`);

function where(table: TableName, k: number): string {
  if (table === "replaced") return `value = ${k}`;
  if (table === "softly") return `code = ${code(k)}`;
  return table === "parted" ? `id = ${k} AND region = ${k % REGIONS.length}` : `id = ${k}`;
}

function putSql(table: TableName, k: number, v: number): string {
  const note = noteOf(v);
  switch (table) {
    case "softly":
      return `INSERT INTO softly VALUES (${code(k)}, ${v}, ${note}) ON CONFLICT (code) DO UPDATE SET value = excluded.value, note = excluded.note`;
    case "scanned":
      return `INSERT INTO scanned VALUES (${k}, ${v}, ${note}) ON CONFLICT (id) DO UPDATE SET value = excluded.value, note = excluded.note`;
    case "pointed":
      return `INSERT INTO pointed VALUES (${k}, ${v}, ${note}, now()) ON CONFLICT (id) DO UPDATE SET value = excluded.value, note = excluded.note, changed = now()`;
    case "appended":
      return `INSERT INTO appended (value, note) VALUES (${v}, ${note})`;
    case "replaced":
      return `INSERT INTO replaced VALUES (${k}, ${note})`;
    case "parted":
      return `INSERT INTO parted VALUES (${k}, ${v % REGIONS.length}, ${v}, ${note}) ON CONFLICT (id, region) DO UPDATE SET value = excluded.value, note = excluded.note`;
  }
}

function rekeySql(table: TableName, k: number, to: number): string {
  switch (table) {
    case "replaced":
      return `UPDATE replaced SET value = ${to} WHERE value = ${k}`;
    case "parted":
      return `UPDATE parted SET region = ${to % REGIONS.length} WHERE ${where(table, k)}`;
    case "appended":
      return putSql(table, k, to);
    case "softly":
      return `UPDATE softly SET code = ${code(to)} WHERE code = ${code(k)}`;
    case "scanned":
    case "pointed":
      return `UPDATE ${table} SET id = ${to}${touched(table)} WHERE id = ${k}`;
  }
}

type Maintenance = Extract<
  Write,
  { do: "freeze" | "rewrite" | "swap" | "analyze" | "detach" | "attach" | "truncate-part" | "restart-identity" }
>;

function maintenanceSql(write: Maintenance): string {
  switch (write.do) {
    case "freeze":
      return `VACUUM FREEZE ${write.t}`;
    case "rewrite":
      return `VACUUM FULL ${write.t}`;
    case "analyze":
      return `ANALYZE ${write.t}`;
    case "swap":
      return swapSql(write.t);
    case "detach":
      return `ALTER TABLE parted DETACH PARTITION parted_${write.region}`;
    case "attach":
      return `ALTER TABLE parted ATTACH PARTITION parted_${write.region} FOR VALUES IN (${write.region})`;
    case "truncate-part":
      return `TRUNCATE parted_${write.region}; INSERT INTO parted_${write.region} VALUES (9, ${write.region}, 0, 'refilled')`;
    case "restart-identity":
      return `TRUNCATE appended RESTART IDENTITY; INSERT INTO appended (value, note) SELECT 7, 'again' FROM generate_series(1, 2)`;
  }
}

/** Another table takes the place, with rows of its own: several statements in one message are one transaction. */
function swapSql(table: TableName): string {
  if (table === "parted" || table === "appended") return "SELECT 1";
  const columns = MODEL_TABLES[table].manifest.columns.map(({ name }) => (name === "note" ? "'swapped'" : name));
  return `CREATE TABLE ${table}_other (LIKE ${table} INCLUDING ALL);
    INSERT INTO ${table}_other SELECT ${columns.join(", ")} FROM ${table};
    DROP TABLE ${table}; ALTER TABLE ${table}_other RENAME TO ${table}`;
}
