/** Fingerprints of stage tables, read out of DuckDB. */
import { VARCHAR, type DuckDBValue } from "@duckdb/node-api";
import { identityColumns, type BucketFingerprint, type FingerprintRow } from "../../manifest/fingerprint.ts";
import type { FingerprintRequest, StatementOptions } from "../warehouse.ts";
import { canonicalText } from "./canonical-value.ts";
import { targetOf } from "./duckdb-incoming.ts";
import type { Session } from "./engine.ts";
import * as sql from "./sql/fingerprint.ts";

export async function fingerprint(
  session: Session,
  request: FingerprintRequest,
  options: StatementOptions,
): Promise<readonly BucketFingerprint[]> {
  const { rows } = await session.run(sql.fingerprint(inDuckDb(request)), options);
  return rows.map(([bucket, count, key, ...sums]) => ({
    bucket: typeof bucket === "bigint" ? bucket : null,
    rows: Number(count),
    key: String(key),
    columns: Array.from(
      { length: sums.length / 2 },
      (_, index) => `${text(sums[2 * index])}/${text(sums[2 * index + 1])}`,
    ),
  }));
}

const inDuckDb = ({ arriving, ...request }: FingerprintRequest): sql.FingerprintSql =>
  arriving ? { ...request, arriving: targetOf(arriving) } : request;

const text = (value: DuckDBValue | undefined): string => String(value);

export async function fingerprintRows(
  session: Session,
  request: FingerprintRequest,
  take: (rows: readonly FingerprintRow[]) => Promise<void> | void,
  options: StatementOptions,
): Promise<void> {
  const keys = identityColumns(request).length;
  await session.stream(
    sql.fingerprintRows(inDuckDb(request)),
    async (rows, types) => {
      const texts = rows.map((row) => row.map((value, index) => canonicalText(value, types[index] ?? VARCHAR)));
      await take(texts.map((row) => ({ key: row.slice(0, keys), values: row.slice(keys) })));
    },
    options,
  );
}
