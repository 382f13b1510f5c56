/** Everything that the server remembers, apart from connections of clients: it survives a restart. */
import { mkdir, mkdtemp, readFile, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { Session as Connection } from "../../../runtime/warehouse/duckdb/engine.ts";
import { Translator } from "../../../runtime/warehouse/duckdb/translate/translator.ts";
import { Catalogue } from "./catalogue.ts";
import { cancelled } from "./errors.ts";
import { AccountObjects } from "./account-objects.ts";
import { Grants, type Privileges } from "./grants.ts";
import { Locks } from "./locks.ts";
import { physicalPath } from "./names.ts";
import { Roles } from "./roles.ts";
import { Session, type SessionOptions } from "./session.ts";
import type { ShapeSet } from "./shapes.ts";
import type { VirtualWarehouse } from "./warehouses.ts";

const MACROS = [
  join(import.meta.dirname, "../../../runtime/warehouse/duckdb/macros.sql"),
  join(import.meta.dirname, "macros.sql"),
];
/** Kept from run to run: translating is most of the time that a statement takes. */
const TRANSLATIONS = join(import.meta.dirname, "../../../node_modules/.cache/novadrive");

export interface AccountOptions {
  readonly account: string;
  readonly database: string;
  /** A DuckDB file; in memory, if absent. */
  readonly file?: string | undefined;
  readonly warehouses: readonly VirtualWarehouse[];
  /** Undefined: every statement that can be understood is taken. */
  readonly shapes?: ShapeSet | undefined;
}

export interface StagedFile {
  /** Behind the stage's name, without a leading slash. */
  readonly name: string;
  readonly path: string;
}

export class Account implements AsyncDisposable {
  readonly name: string;
  readonly catalogue: Catalogue;
  readonly locks = new Locks();
  /** Of all roles that SQL has not made. */
  readonly grants = new Grants();
  readonly roles = new Roles();
  readonly objects = new AccountObjects();
  readonly warehouses: Map<string, VirtualWarehouse>;
  readonly shapes: ShapeSet | undefined;
  readonly sessions = new Map<number, Session>();
  /** Every token that was given out, and every one that a login brought along. */
  readonly secrets = new Set<string>();
  /** Bytes of the files that were to be put on stages as they are, by path. */
  readonly promised = new Map<string, number>();
  readonly translator = new Translator(TRANSLATIONS);
  /** Root of the internal stages' files. */
  readonly stageFolder: string;
  readonly #folder: string;
  readonly #instance: DuckDBInstance;
  #lastSession = 1_000_000;

  private constructor(options: AccountOptions, instance: DuckDBInstance, folder: string) {
    this.name = options.account.toUpperCase();
    this.catalogue = new Catalogue(options.database);
    this.warehouses = new Map(options.warehouses.map((warehouse) => [warehouse.name, warehouse]));
    this.shapes = options.shapes;
    this.#instance = instance;
    this.#folder = folder;
    this.stageFolder = join(folder, "stages");
  }

  static async open(options: AccountOptions): Promise<Account> {
    const folder = await mkdtemp(join(tmpdir(), "novadrive-snowflake-"));
    await mkdir(join(folder, "stages"));
    const instance = await DuckDBInstance.create(options.file ?? ":memory:", {
      // Snowflake sorts NULL as the highest value: https://docs.snowflake.com/en/sql-reference/constructs/order-by
      default_null_order: "NULLS_LAST_ON_ASC_FIRST_ON_DESC",
      preserve_insertion_order: "false",
      memory_limit: "2GB",
      threads: "2",
      temp_directory: join(folder, "spill"),
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
    });
    const connection = new Connection(await instance.connect());
    for (const file of MACROS) await connection.run(await readFile(file, "utf8"));
    connection.connection.closeSync();
    return new Account(options, instance, folder);
  }

  privilegesOf(role: string): Privileges {
    return this.roles.isMade(role) ? this.roles.privilegesOf(role) : this.grants;
  }

  async createSchema(name: string): Promise<void> {
    if (this.catalogue.schemas.has(name)) return;
    await this.directly((connection) => connection.run(`CREATE SCHEMA IF NOT EXISTS ${physicalPath(name)}`));
    this.catalogue.schemas.set(name, new Date());
  }

  /** Work on a connection that no client has. */
  async directly<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = new Connection(await this.#instance.connect());
    try {
      return await work(connection);
    } finally {
      connection.connection.closeSync();
    }
  }

  async openSession(options: Omit<SessionOptions, "id">): Promise<Session> {
    const session = await Session.open(this.#instance, { ...options, id: ++this.#lastSession });
    this.sessions.set(session.id, session);
    return session;
  }

  /** Its open transaction is rolled back, its temporary tables are gone. */
  async closeSession(session: Session): Promise<void> {
    if (!this.sessions.delete(session.id)) return;
    session.running?.abort(cancelled());
    await session.serially(async () => {
      await session.end("ROLLBACK", this.locks).catch(() => undefined);
      this.locks.release(session);
      session.connection.connection.closeSync();
    });
  }

  stagePath(schema: string, name: string): string {
    return join(this.stageFolder, encodeURIComponent(schema), encodeURIComponent(name));
  }

  async createStageFolder(schema: string, name: string): Promise<void> {
    await mkdir(this.stagePath(schema, name), { recursive: true });
  }

  /** A file is on a stage once all of it is: the storage behind it takes it or not. The driver copies into a folder piece by piece. */
  async stagedFiles(schema: string, name: string): Promise<readonly StagedFile[]> {
    const root = this.stagePath(schema, name);
    const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => ({ path, name: relative(root, path) }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const sizes = await Promise.all(files.map(({ path }) => stat(path).catch(() => undefined)));
    return files.filter(({ path }, at) => {
      const promised = this.promised.get(path);
      return promised === undefined || sizes[at]?.size === promised;
    });
  }

  /** Files alone: a stage has no folders, and the driver may be about to write another file. */
  async loseStagedFiles(): Promise<void> {
    const entries = await readdir(this.stageFolder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    await Promise.all(files.map((file) => rm(join(file.parentPath, file.name), { force: true })));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.sessions.values()].map((session) => this.closeSession(session)));
    await this.translator[Symbol.asyncDispose]();
    this.#instance.closeSync();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
