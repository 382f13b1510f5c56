/** PostgreSQL as the source: a small pool of connections, checks, snapshots. */
import { Pool } from "pg";
import { systemClock, type Clock } from "../core/clock.ts";
import type { Warning } from "../core/warning.ts";
import type { ManifestTable } from "../manifest/manifest.ts";
import { readRelations, type RunQuery } from "./catalogue.ts";
import { describeAddress, sourceConnection } from "./connection.ts";
import { GUARDS, type Guards } from "./guards.ts";
import { checkTable, preflightError, requireVersion } from "./preflight.ts";
import { rateLimit } from "./rate-limit.ts";
import { Session } from "./session.ts";
import { openSnapshot } from "./snapshot.ts";
import type { Source } from "./source.ts";
import { beginSql, type TransactionLimits } from "./transaction.ts";

export interface SourceOptions {
  /** postgres://user:password@host:port/database, with sslmode and the other TLS parameters of libpq. */
  readonly url: string;
  /** COPY statements at the same time, over all tables; 2 unless told. One more connection holds the snapshot. */
  readonly readers?: number | undefined;
  /** That all readers together take, on average; without limit unless told. */
  readonly rowsPerSecond?: number | undefined;
  /** Seconds that a snapshot may be held; without limit unless told. */
  readonly snapshotLimit?: number | undefined;
  /** Milliseconds to wait for a table that a schema change has locked; 30,000 unless told. */
  readonly lockTimeout?: number | undefined;
  /** Milliseconds that one statement may take; without limit unless told. */
  readonly statementTimeout?: number | undefined;
  /** Milliseconds to wait for a connection; 15,000 unless told. */
  readonly connectTimeout?: number | undefined;
  /** Hears what is worth knowing but stops nothing. */
  readonly warn?: ((message: string) => void) | undefined;
  readonly clock?: Clock | undefined;
  /** For tests of the tests, which take one away. */
  readonly guards?: Partial<Guards> | undefined;
}

/**
 * Nothing is connected until it is needed; the pool closes idle connections after ten seconds.
 *
 * @throws NovaError CONFIG_INVALID or SOURCE_TLS_FAILED for a URL that cannot be used
 */
export function connectSource(options: SourceOptions): Source {
  const { clock = systemClock, rowsPerSecond = 0, snapshotLimit: holdLimit = 0 } = options;
  const { readers = 2, lockTimeout = 30_000, statementTimeout = 0, connectTimeout = 15_000 } = options;
  const { config, address } = sourceConnection(options.url);
  const rate = rateLimit(rowsPerSecond, clock);
  const pool = new Pool({
    ...config,
    // One holds the snapshot, one is left to cancel the others.
    max: readers + 2,
    connectionTimeoutMillis: connectTimeout,
  });
  // Without a listener, an idle connection that dies would end the process; the pool drops it and opens another when needed.
  pool.on("error", () => {});
  const openSession = (begin: string, signal?: AbortSignal) => Session.open({ pool, address, begin, signal });

  const limitsOf = async (session: Session, signal: AbortSignal | undefined): Promise<TransactionLimits> => {
    const [row] = await session.query<{ version: number; text: string }>(
      "SELECT current_setting('server_version_num')::int AS version, current_setting('server_version') AS text",
      [],
      { signal },
    );
    const serverVersion = row?.version ?? 0;
    requireVersion(serverVersion, row?.text ?? "", describeAddress(address));
    return { statementTimeout, lockTimeout, serverVersion };
  };

  return {
    async preflight(tables, signal) {
      await using session = await openSession("", signal);
      const limits = await limitsOf(session, signal);
      await session.begin(beginSql(limits), signal);
      const query: RunQuery = (sql, params) => session.query(sql, params, { signal, doing: "checking the source" });
      return check(query, tables);
    },

    async openSnapshot(tables, signal) {
      let limits: TransactionLimits;
      {
        await using session = await openSession("", signal);
        limits = await limitsOf(session, signal);
      }
      const { warn = () => {} } = options;
      const guards = { ...GUARDS, ...options.guards };
      return openSnapshot({
        openSession,
        limits,
        readers,
        rate,
        holdLimit,
        clock,
        guards,
        warn,
        user: address.user,
        tables,
        signal,
      });
    },

    async [Symbol.asyncDispose]() {
      await pool.end();
    },
  };
}

async function check(query: RunQuery, tables: readonly ManifestTable[]): Promise<readonly Warning[]> {
  const names = tables.map((table) => ({ schema: table.sourceSchema, name: table.sourceTable }));
  const relations = await readRelations(query, names);
  const [server] = await query<{ role: string; encoding: string }>(
    "SELECT current_user::text AS role, current_setting('server_encoding') AS encoding",
  );
  const findings = tables.map((table) => {
    const relation = relations.find((one) => one.schema === table.sourceSchema && one.name === table.sourceTable);
    return checkTable(table, relation, server?.role ?? "");
  });
  const error = preflightError(findings.flatMap((finding) => finding.problems));
  if (error) throw error;
  const warnings = findings.flatMap((finding) => finding.warnings);
  if (server?.encoding !== "SQL_ASCII") return warnings;
  return [
    ...warnings,
    {
      kind: "encoding",
      message:
        "The source's encoding is SQL_ASCII: PostgreSQL checks no text, so bytes that are not UTF-8 will stop the load.",
      remedy: "Move the data to a database with ENCODING 'UTF8', or correct rows when the load names them.",
    },
  ];
}
