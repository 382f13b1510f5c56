/** A server on 127.0.0.1 that stands in for Snowflake: it speaks its protocol to the unmodified driver, and keeps its rows in DuckDB. */
import type { Manifest } from "../../../runtime/manifest/manifest.ts";
import { stageTableColumns } from "../../../runtime/manifest/stage-table.ts";
import { parseDataType } from "../../../runtime/manifest/warehouse-type.ts";
import { Account, type StagedFile } from "./account.ts";
import type { Column } from "./catalogue.ts";
import type { Grants } from "./grants.ts";
import type { User } from "./login.ts";
import { Misbehaviour, type Rule } from "./misbehaviour.ts";
import { physicalName, physicalPath } from "./names.ts";
import { Protocol } from "./protocol.ts";
import { ShapeSet } from "./shapes.ts";
import { Statements, type LoggedStatement } from "./statements.ts";
import { columnDefinition } from "./types.ts";
import { virtualWarehouse, type VirtualWarehouse } from "./warehouses.ts";

export interface SnowflakeServerOptions {
  readonly users: readonly User[];
  readonly account?: string | undefined;
  readonly database?: string | undefined;
  readonly schemas?: readonly string[] | undefined;
  /** The one warehouse; it is suspended at first, and resumes by itself. */
  readonly warehouse?: (Partial<VirtualWarehouse> & { readonly name: string }) | undefined;
  /** Folder of the `.sql` files with the statements that are taken; every statement that can be understood, if absent. */
  readonly shapes?: string | undefined;
  /** A DuckDB file; in memory, if absent. */
  readonly file?: string | undefined;
  readonly inProgressAfterMs?: number | undefined;
}

export class SnowflakeServer implements AsyncDisposable {
  readonly misbehaviour = new Misbehaviour();
  readonly warehouse: VirtualWarehouse;
  /** Milliseconds that the server's clock is ahead. */
  clockOffset = 0;
  /** Whether a network policy keeps everybody out. */
  blocked = false;
  readonly #user: User | undefined;
  readonly #account: Account;
  readonly #statements: Statements;
  readonly #protocol: Protocol;

  private constructor(account: Account, options: SnowflakeServerOptions, warehouse: VirtualWarehouse) {
    this.#user = options.users[0];
    this.#account = account;
    this.warehouse = warehouse;
    this.#statements = new Statements(account);
    this.#protocol = new Protocol({
      account,
      login: {
        account: account.name,
        users: () => [...options.users, ...account.objects.logins()],
        now: () => Date.now() + this.clockOffset,
      },
      statements: this.#statements,
      misbehaviour: this.misbehaviour,
      inProgressAfterMs: options.inProgressAfterMs ?? 5000,
      isBlocked: () => this.blocked,
    });
  }

  static async start(options: SnowflakeServerOptions): Promise<SnowflakeServer> {
    const warehouse = virtualWarehouse(options.warehouse ?? { name: "LOAD_WH" });
    const account = await Account.open({
      account: options.account ?? "TESTORG-TEST",
      database: options.database ?? "NOVADRIVE",
      file: options.file,
      warehouses: [warehouse],
      shapes: options.shapes === undefined ? undefined : ShapeSet.read(options.shapes),
    });
    for (const schema of options.schemas ?? ["STAGE", "PIPELINE", "ANALYTICS", "PUBLIC"])
      await account.createSchema(schema);
    const server = new SnowflakeServer(account, options, warehouse);
    await server.#protocol.listen();
    return server;
  }

  get port(): number {
    return this.#protocol.port;
  }

  get account(): string {
    return this.#account.name;
  }

  get database(): string {
    return this.#account.catalogue.database;
  }

  /** Every statement, in the order in which they came. */
  get log(): readonly LoggedStatement[] {
    return this.#statements.log;
  }

  get grants(): Grants {
    return this.#account.grants;
  }

  /** Sessions that are open, whatever became of their clients. */
  get sessions(): readonly {
    readonly id: number;
    readonly user: string;
    readonly inTransaction: boolean;
    readonly client: Readonly<Record<string, unknown>>;
  }[] {
    return [...this.#account.sessions.values()].map(({ id, user, transaction, client }) => ({
      id,
      user,
      inTransaction: transaction !== undefined,
      client,
    }));
  }

  /** Tokens of all sessions so far, and those that logins brought along. */
  get secrets(): ReadonlySet<string> {
    return this.#account.secrets;
  }

  /** Files on a stage. */
  async stagedFiles(schema: string, stage: string): Promise<readonly StagedFile[]> {
    return this.#account.stagedFiles(schema, stage);
  }

  /** Lets something go wrong from now on. */
  misbehave(rule: Rule): { remove(): void; readonly hits: number } {
    return this.misbehaviour.add(rule, this.log.length);
  }

  async restart(): Promise<void> {
    await this.#protocol.restart();
  }

  /** Runs DuckDB's SQL past protocol, closed set and grants. Names are as Snowflake has them; what it creates, Snowflake does not know. */
  async sql(text: string): Promise<readonly (readonly unknown[])[]> {
    return this.#account.directly(async (connection) => (await connection.run(text)).rows);
  }

  /** Makes a table as the infrastructure program does. An existing one gets the columns that it lacks. */
  async createTable(schema: string, name: string, columns: readonly Column[]): Promise<void> {
    const { catalogue } = this.#account;
    const existing = catalogue.relation(schema, name);
    const place = physicalPath(schema, name);
    const missing = columns.filter((column) => !existing?.columns.some((one) => one.name === column.name));
    const definitions = missing.map((column) =>
      columnDefinition(physicalName(column.name), column.type, column.nullable),
    );
    const statements = existing
      ? definitions.map(
          (definition) => `ALTER TABLE ${place} ADD COLUMN ${definition.replace(/( NOT NULL)?( CHECK .*)?$/s, "")}`,
        )
      : [`CREATE TABLE ${place} (${definitions.join(", ")})`];
    for (const statement of statements) await this.sql(statement);
    catalogue.setRelation({
      schema,
      name,
      kind: "TABLE",
      createdOn: new Date(),
      loaded: new Set(),
      ...existing,
      columns: [...(existing?.columns ?? []), ...missing],
    });
  }

  /** The stage tables of a manifest, as the infrastructure program makes them. */
  async createStageTables({ tables }: Manifest): Promise<void> {
    for (const table of tables) {
      const columns = stageTableColumns(table).map(({ name, type, nullable, comment }) => {
        const parsed = parseDataType(type.toLowerCase());
        if (!parsed) throw new Error(`No type of Snowflake: ${type}`);
        return { name, type: parsed, nullable, comment };
      });
      await this.createTable(table.schema.toUpperCase(), table.name.toUpperCase(), columns);
    }
  }

  /** The adapter's URL. @param parameters take the place of those that lead to this server as its first user; `private_key` is not among them */
  url(parameters: Readonly<Record<string, string>> = {}): string {
    const query = new URLSearchParams({
      warehouse: this.warehouse.name,
      ...(this.#user ? { role: this.#user.role, user: this.#user.name } : {}),
      host: "127.0.0.1",
      port: String(this.port),
      protocol: "http",
      ...parameters,
    });
    return `snowflake://${this.account}/${this.database}?${query.toString()}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#statements.abortAll();
    await this.#protocol.close();
    await this.#account[Symbol.asyncDispose]();
  }
}

export async function startSnowflakeServer(options: SnowflakeServerOptions): Promise<SnowflakeServer> {
  return SnowflakeServer.start(options);
}
