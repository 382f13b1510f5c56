/** From what the source says of itself to findings. Pure functions. */
import { failed, ok, warning, type Finding } from "../core/finding.ts";
import { formatBytes, formatSeconds } from "../core/format.ts";
import { identifier, literal } from "../core/sql.ts";
import { cursorsOf, type ManifestTable } from "../manifest/manifest.ts";
import type { Relation } from "./catalogue.ts";
import { describeAddress, type SourceAddress } from "./connection.ts";
import { isLarge, LARGE } from "./detection.ts";
import { checkTable, OLDEST_VERSION } from "./preflight.ts";

export interface ServerFacts {
  readonly encoding: string;
  readonly standby: boolean;
  readonly standby_feedback: boolean;
  /** Whether the user sees when other users' transactions began. */
  readonly sees_activity: boolean;
  readonly tracks_activity: boolean;
  /** Age in seconds of the oldest transaction of this database that the user sees; null if there is none. */
  readonly oldest_transaction: number | null;
  /** `TLSv1.3`; null where the server sees no encryption. */
  readonly tls: string | null;
}

interface Server extends ServerFacts {
  readonly address: SourceAddress;
  /** Empty if the URL has none. */
  readonly sslmode: string;
}

export interface PreparedTransaction {
  readonly gid: string;
  readonly owner: string;
  /** UTC, to the minute. */
  readonly since: string;
}

export interface CursorFacts {
  /** Of the table without its indexes, all its partitions together, as of the last VACUUM or ANALYZE. */
  readonly bytes: number;
  readonly rows: number;
  readonly indexed: boolean;
}

/** Seconds. A batch that reads an hour again costs little; a transaction that was forgotten holds on for days. */
const LONG_TRANSACTION = 3600;

export function connectionFinding(
  { number, text }: { readonly number: number; readonly text: string },
  address: SourceAddress,
): Finding {
  const detail = `PostgreSQL ${text} at ${describeAddress(address)}`;
  return number >= OLDEST_VERSION
    ? ok("connection", `${detail}.`)
    : failed(
        "connection",
        `${detail}: version 14 is the oldest that can be read from.`,
        "Upgrade the source, or read from a newer replica.",
      );
}

export function encryptionFinding({ address, sslmode, tls }: Server): Finding {
  const check = "encryption";
  const encrypted = tls !== null || (sslmode !== "" && sslmode !== "disable");
  // A pooler in between has a connection of its own to the server, so the server's word is not the whole truth.
  const how = tls === null ? "Encrypted" : `Encrypted with ${tls.replace("v", " ")}`;
  if (!encrypted) {
    return isLocal(address.host)
      ? ok(check, "Not encrypted, and does not leave this machine.")
      : warning(
          check,
          "Not encrypted: whoever sees the network sees the rows.",
          "Add ?sslmode=verify-full to NOVADRIVE_SOURCE_URL (with sslrootcert=<file> for an authority of your own).",
        );
  }
  return sslmode === "verify-full" || sslmode === "verify-ca"
    ? ok(check, `${how}; the server's certificate is checked (sslmode=${sslmode}).`)
    : warning(
        check,
        `${how}, but whose server it is is not checked (sslmode=${sslmode}).`,
        "Write sslmode=verify-full in NOVADRIVE_SOURCE_URL (with sslrootcert=<file> for an authority of your own).",
      );
}

function isLocal(host: string): boolean {
  return host.startsWith("/") || host === "localhost" || host === "::1" || host.startsWith("127.");
}

export function encodingFinding({ encoding }: ServerFacts): Finding {
  const check = "encoding";
  if (encoding !== "SQL_ASCII") {
    return ok(check, encoding === "UTF8" ? "UTF8." : `${encoding}, which PostgreSQL converts to UTF8.`);
  }
  return warning(
    check,
    "SQL_ASCII: PostgreSQL checks no text, so bytes that are not UTF-8 will stop the load.",
    "Move the data to a database with ENCODING 'UTF8', or correct rows when the load names them.",
  );
}

export function standbyFinding({ standby, standby_feedback }: ServerFacts, tables: readonly ManifestTable[]): Finding {
  const check = "primary";
  if (!standby) return ok(check, "The server is a primary.");
  const feedback = standby_feedback
    ? ""
    : " So that long reads are not cancelled, run on the standby: ALTER SYSTEM SET hot_standby_feedback = on; SELECT pg_reload_conf();";
  if (!hasCursors(tables)) {
    const detail = "The server is a standby; no table has a cursor, so it may be read from.";
    return standby_feedback ? ok(check, detail) : warning(check, detail, feedback.trim());
  }
  return warning(
    check,
    "The server is a standby, which does not show the open transactions of its primary: watermarks stay where they are, and each batch reads from them again.",
    `Name the primary in NOVADRIVE_SOURCE_URL, or use mode: full_refresh.${feedback}`,
  );
}

/** Without the privilege a fence waits for transactions to end, and stays where it is if they do not. */
export function activityFinding(
  { sees_activity, tracks_activity, oldest_transaction, address }: Server,
  tables: readonly ManifestTable[],
): Finding {
  const check = "open transactions";
  if (!hasCursors(tables)) return ok(check, "No table has a cursor, so nothing depends on them.");
  const effect = "while others write, watermarks may stay behind and batches read more than they need";
  if (!tracks_activity) {
    return warning(
      check,
      `The server does not track activity (track_activities is off): ${effect}.`,
      "ALTER SYSTEM SET track_activities = on; SELECT pg_reload_conf();",
    );
  }
  if (oldest_transaction !== null && oldest_transaction > LONG_TRANSACTION) {
    return warning(
      check,
      `One has been open for ${formatSeconds(oldest_transaction)}: watermarks cannot pass its start, so each batch reads from there again.`,
      "SELECT pid, usename, state, query FROM pg_stat_activity WHERE datname = current_database() ORDER BY xact_start LIMIT 1; then end it, or SELECT pg_terminate_backend(pid);",
    );
  }
  if (sees_activity) return ok(check, "Their start is visible, so watermarks can follow.");
  return warning(
    check,
    `${address.user} does not see when other users' transactions began: ${effect}.`,
    `GRANT pg_read_all_stats TO ${identifier(address.user)};`,
  );
}

export function preparedFinding(prepared: readonly PreparedTransaction[]): Finding {
  const check = "prepared transactions";
  const [oldest] = prepared;
  if (!oldest) return ok(check, "None is open.");
  const named = prepared.map(({ gid, owner, since }) => `${gid} of ${owner} since ${since} UTC`).join(", ");
  return warning(
    check,
    `Open: ${named}. Until they end, watermarks stay where they are.`,
    `COMMIT PREPARED ${literal(oldest.gid)}; or ROLLBACK PREPARED ${literal(oldest.gid)}; for each, whichever is right.`,
  );
}

export interface TableFacts {
  readonly table: ManifestTable;
  /** Undefined if the source has none of that name. */
  readonly relation: Relation | undefined;
  readonly user: string;
  readonly standby: boolean;
  /** Absent where the table has no cursor, or is a view. */
  readonly cursor?: CursorFacts | undefined;
}

/** Everything that is wrong with one table, or that it is fit. */
export function tableFindings({ table, relation, user, standby, cursor }: TableFacts): readonly Finding[] {
  const check = `table ${table.name}`;
  const { problems, warnings: drift } = checkTable(table, relation, user);
  const failures = problems.map(({ message, remedy }) => failed(check, message, remedy));
  if (!relation) return failures;
  const warnings = [
    ...drift.map(({ message, remedy }) => warning(check, message, remedy)),
    ...indexFindings({ check, table, relation, cursor }),
  ];
  if (failures.length + warnings.length > 0) return [...failures, ...warnings];
  return [ok(check, describeTable({ table, standby, cursor }))];
}

function describeTable({ table, standby, cursor }: Pick<TableFacts, "table" | "standby" | "cursor">): string {
  const parts = [`${table.sourceSchema}.${table.sourceTable}: ${table.columns.length} columns`, table.sync.mode];
  if (table.primaryKey.length > 0) parts.push(`key ${table.primaryKey.join(", ")}`);
  const cursors = cursorsOf(table.sync);
  if (cursors.length > 0) {
    parts.push(
      `cursor ${cursors.join(", ")}${cursor === undefined || cursor.indexed ? "" : " (no index; small enough)"}`,
    );
  }
  const chosen = table.sync.mode !== "full_refresh" && table.sync.detect === undefined;
  if (chosen && !standby && cursor?.indexed && isLarge(cursor)) parts.push("large, so changes are found by its cursor");
  return `${parts.join("; ")}.`;
}

interface IndexFacts {
  readonly check: string;
  readonly table: ManifestTable;
  readonly relation: Relation;
  readonly cursor: CursorFacts | undefined;
}

function indexFindings({ check, table, relation, cursor }: IndexFacts): readonly Finding[] {
  const columns = cursorsOf(table.sync);
  const exist = columns.every((column) => relation.columns.some(({ name }) => name === column));
  if (!cursor || columns.length === 0 || !exist || cursor.indexed || cursor.bytes < LARGE.bytes) return [];
  // PostgreSQL cannot build the index of a partitioned table concurrently.
  const concurrently = relation.kind === "p" ? "" : "CONCURRENTLY ";
  const place = identifier(relation.schema, relation.name);
  return [
    warning(
      check,
      `No index begins with the cursor ${columns.join(", ")}, so each batch reads all ${formatBytes(cursor.bytes)} of ${relation.schema}.${relation.name} for its changes.`,
      columns.map((column) => `CREATE INDEX ${concurrently}ON ${place} (${identifier(column)});`).join(" "),
    ),
  ];
}

function hasCursors(tables: readonly ManifestTable[]): boolean {
  return tables.some((table) => table.sync.cursor !== undefined);
}
