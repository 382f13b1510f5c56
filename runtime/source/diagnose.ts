/** What `doctor` checks of the source. Reads only, and goes on where one check fails: each has a transaction of its own. */
import { Pool } from "pg";
import type { Clock } from "../core/clock.ts";
import { clockFinding, measureClockSkew } from "../core/clock-skew.ts";
import { failedBy, type Finding } from "../core/finding.ts";
import { cursorsOf, type ManifestTable } from "../manifest/manifest.ts";
import { readRelations, type Relation, type RunQuery } from "./catalogue.ts";
import { sourceConnection, type SourceAddress } from "./connection.ts";
import {
  activityFinding,
  connectionFinding,
  encodingFinding,
  encryptionFinding,
  preparedFinding,
  standbyFinding,
  tableFindings,
  type CursorFacts,
  type PreparedTransaction,
  type ServerFacts,
} from "./diagnose-findings.ts";
import { OLDEST_VERSION } from "./preflight.ts";
import { Session } from "./session.ts";
import { sqlFile } from "./sql-file.ts";
import { beginSql } from "./transaction.ts";

export interface DiagnoseSourceOptions {
  /** As for `connectSource`. */
  readonly url: string;
  readonly tables: readonly ManifestTable[];
  readonly clock: Clock;
  readonly report: (...findings: readonly Finding[]) => void;
  readonly signal: AbortSignal;
}

/** Milliseconds; what takes longer on the catalogue alone is in somebody's way. */
const STATEMENT_TIMEOUT = 10_000;
const CONNECT_TIMEOUT = 15_000;

const CLOCK = { whose: "the source", effect: "times in the history and in the warehouse will not match" };

const SERVER_FACTS = sqlFile("server-facts");
const PREPARED = sqlFile("prepared-transactions");
const CURSOR_INDEXES = sqlFile("cursor-indexes");

interface Place {
  readonly pool: Pool;
  readonly address: SourceAddress;
  readonly signal: AbortSignal;
}

/** Reports every finding as soon as it is there; throws only the reason of `signal`. */
export async function diagnoseSource({ url, tables, clock, report, signal }: DiagnoseSourceOptions): Promise<void> {
  const attempt = async (check: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (thrown) {
      signal.throwIfAborted();
      report(failedBy(check, thrown));
    }
  };
  await attempt("connection", async () => {
    const { config, address } = sourceConnection(url);
    const pool = new Pool({ ...config, max: 2, connectionTimeoutMillis: CONNECT_TIMEOUT });
    pool.on("error", () => {});
    // A pool that is still connecting ends with its time limit only; who has to stop does not wait for that.
    const end = async (): Promise<void> => void (signal.aborted ? pool.end().catch(() => undefined) : await pool.end());
    await using _pool = { [Symbol.asyncDispose]: end };
    const place: Place = { pool, address, signal };

    const version = await readVersion(place);
    report(connectionFinding(version, address));
    if (version.number < OLDEST_VERSION) return;

    let standby = false;
    await attempt("server", async () => {
      const [facts] = await reading(place, (query) => query<ServerFacts>(SERVER_FACTS));
      if (!facts) return;
      standby = facts.standby;
      const server = { ...facts, address, sslmode: new URL(url).searchParams.get("sslmode") ?? "" };
      report(encryptionFinding(server), encodingFinding(server), standbyFinding(server, tables));
      if (!server.standby) report(activityFinding(server, tables));
    });
    await attempt("prepared transactions", async () => {
      report(preparedFinding(await reading(place, (query) => query<PreparedTransaction>(PREPARED))));
    });
    await attempt("clock", async () => {
      const skew = await reading(place, (query) => measureClockSkew(clock, () => readTime(query)));
      report(clockFinding(skew, CLOCK));
    });
    await attempt("tables", async () => {
      const relations = await reading(place, (query) =>
        readRelations(
          query,
          tables.map((table) => ({ schema: table.sourceSchema, name: table.sourceTable })),
        ),
      );
      const cursors = await reading(place, (query) => readCursors(query, tables, relations)).catch(
        (thrown: unknown) => {
          signal.throwIfAborted();
          report(failedBy("cursor indexes", thrown));
          return new Map<string, CursorFacts>();
        },
      );
      for (const table of tables) {
        const relation = relationOf(table, relations);
        report(...tableFindings({ table, relation, user: address.user, standby, cursor: cursors.get(table.name) }));
      }
    });
  });
}

/** In a read-only transaction of its own, so that what one check breaks is not the next one's. */
async function reading<T>({ pool, address, signal }: Place, work: (query: RunQuery) => Promise<T>): Promise<T> {
  // No setting that came after version 14 matters to the catalogue.
  const begin = beginSql({ statementTimeout: STATEMENT_TIMEOUT, lockTimeout: STATEMENT_TIMEOUT, serverVersion: 0 });
  await using session = await Session.open({ pool, address, begin, signal });
  return await work((sql, params) => session.query(sql, params, { signal, doing: "checking the source" }));
}

async function readVersion({ pool, address, signal }: Place): Promise<{ number: number; text: string }> {
  await using session = await Session.open({ pool, address, begin: "", signal });
  const [row] = await session.query<{ number: number; text: string }>(
    "SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS text",
    [],
    { signal },
  );
  return row ?? { number: 0, text: "unknown" };
}

async function readTime(query: RunQuery): Promise<number> {
  const [row] = await query<{ now: number }>("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now");
  return row?.now ?? NaN;
}

async function readCursors(
  query: RunQuery,
  tables: readonly ManifestTable[],
  relations: readonly Relation[],
): Promise<ReadonlyMap<string, CursorFacts>> {
  const wanted = tables.flatMap((table) => {
    const relation = relationOf(table, relations);
    return relation
      ? cursorsOf(table.sync).map((cursor) => ({ table: table.name, relation: relation.oid, cursor }))
      : [];
  });
  const rows = await query<CursorFacts & { relation: number; cursor: string }>(CURSOR_INDEXES, [
    JSON.stringify(wanted),
  ]);
  const byTable = Map.groupBy(wanted, (one) => one.table);
  return new Map(
    [...byTable].flatMap(([table, cursors]) => {
      const found = cursors.flatMap(({ relation, cursor }) =>
        rows.filter((row) => row.relation === relation && row.cursor === cursor),
      );
      const [first] = found;
      return first
        ? [[table, { bytes: first.bytes, rows: first.rows, indexed: found.every((row) => row.indexed) }] as const]
        : [];
    }),
  );
}

function relationOf(table: ManifestTable, relations: readonly Relation[]): Relation | undefined {
  return relations.find((one) => one.schema === table.sourceSchema && one.name === table.sourceTable);
}
