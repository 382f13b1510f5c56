/** A fresh PostgreSQL database for a test, dropped when the test's scope ends; a connection that is still open then fails the test. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, Pool, type QueryResultRow } from "pg";
import { inject } from "vitest";
import { identifier } from "../../runtime/core/sql.ts";
import "./global-setup-postgres.ts";

export interface TestDatabase extends AsyncDisposable {
  readonly name: string;
  /** postgres://user:password@host:port/name of a superuser. */
  readonly url: string;
  /** A superuser's pool on the database; ended by the disposal. */
  readonly pool: Pool;
  /** Rows of one statement; several statements in one text give the rows of the last. */
  query<Row extends QueryResultRow = QueryResultRow>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
  /** The same database as seen by another user or with other parameters: `urlFor({user, password, sslmode…})`. */
  urlFor(options: Readonly<Record<string, string>>): string;
}

/** How long a connection may take to vanish from pg_stat_activity after its client has closed it, in milliseconds. */
const GRACE = 2_000;

/**
 * Creates an empty database on the server of this run (or of TEST_PG_URL).
 *
 * `await using db = await createTestDatabase();`
 *
 * @throws Error saying why there is no PostgreSQL, and how to name one
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const serverUrl = await testServerUrl();
  const name = `test_${randomBytes(6).toString("hex")}`;
  await onServer(serverUrl, (client) => client.query(`CREATE DATABASE ${identifier(name)} TEMPLATE template0`));

  const url = withPath(serverUrl, name);
  const pool = new Pool({ connectionString: url, max: 10, application_name: "test helper" });
  // A backend that a test ends on purpose must not end the test run.
  pool.on("error", () => {});

  return {
    name,
    url,
    pool,
    async query<Row extends QueryResultRow>(sql: string, params?: readonly unknown[]) {
      // Several statements in one text give an array of results, which the types of pg do not say.
      const result: unknown = await pool.query<Row>(sql, params ? [...params] : undefined);
      const last: unknown = Array.isArray(result) ? result.at(-1) : result;
      return (last as { rows: Row[] }).rows;
    },
    urlFor(options) {
      const changed = new URL(url);
      for (const [key, value] of Object.entries(options)) {
        if (key === "user") changed.username = encodeURIComponent(value);
        else if (key === "password") changed.password = encodeURIComponent(value);
        else if (key === "database") changed.pathname = `/${encodeURIComponent(value)}`;
        else changed.searchParams.set(key, value);
      }
      return changed.href;
    },
    async [Symbol.asyncDispose]() {
      await pool.end();
      const leaked = await onServer(serverUrl, async (client) => {
        const left = await connectionsLeft(client, name);
        await client.query(`DROP DATABASE ${identifier(name)} WITH (FORCE)`);
        return left;
      });
      if (leaked.length > 0) throw new Error(`Connections left open by the test:\n${leaked.join("\n")}`);
    },
  };
}

/** URL of a superuser's connection to the server of this run. */
export async function testServerUrl(): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port: inject("postgresBroker") }).setEncoding("utf8");
  let text = "";
  socket.on("data", (chunk: string) => (text += chunk));
  await once(socket, "end");
  const answer = JSON.parse(text) as { url?: string; error?: string };
  if (answer.url) return answer.url;
  throw new Error(
    `No PostgreSQL for the tests: ${answer.error ?? "no answer"}. ` +
      "Set TEST_PG_URL=postgres://superuser:password@host:port/postgres to use a server of your own.",
  );
}

async function connectionsLeft(client: Client, database: string): Promise<string[]> {
  const deadline = Date.now() + GRACE;
  for (;;) {
    const { rows } = await client.query<{ line: string }>(
      `SELECT format('pid %s, %s, %s since %s: %s', pid, application_name, state, state_change, left(query, 200)) AS line
       FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'`,
      [database],
    );
    if (rows.length === 0 || Date.now() > deadline) return rows.map((row) => row.line);
    await sleep(20);
  }
}

async function onServer<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, application_name: "test helper" });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function withPath(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
