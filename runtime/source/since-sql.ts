/** Which rows belong to a part of a table, as a condition. */
import { identifier, literal } from "../core/sql.ts";
import { cursorsOf, type ManifestTable } from "../manifest/manifest.ts";
import { liveColumn, type Relation } from "./catalogue.ts";
import type { Since } from "./source.ts";

/** An xid as it stands in a row: the lower half of an xid8. */
const XID = 0xffff_ffffn;

/** @throws RangeError for a cursor where the table has none */
export function sinceSql(table: ManifestTable, relation: Relation, since: Since): string {
  const wanted = since.by === "cursor" ? cursorSql(table, relation, since.from) : versionSql(since.from);
  const { parts = [] } = since;
  return parts.length === 0 ? wanted : `(${wanted} OR tableoid IN (${parts.map((oid) => literal(oid)).join(", ")}))`;
}

/**
 * The comparison is PostgreSQL's, on its own text. Of several cursors the latest counts, which is at or after a value where any of them is;
 * written so, each one's index can be used.
 */
function cursorSql(table: ManifestTable, relation: Relation, from: string): string {
  const names = cursorsOf(table.sync);
  if (names.length === 0) throw new RangeError(`Table ${table.name} has no cursor`);
  const columns = names.map((name) => identifier(name));
  const late = names.map((name) => `${identifier(name)} >= ${literal(from)}::${liveColumn(relation, name).type.name}`);
  const none = columns.map((column) => `${column} IS NULL`);
  return `(${late.join(" OR ")} OR ${none.length === 1 ? none.join() : `(${none.join(" AND ")})`})`;
}

/**
 * A row's xmin stays what it was when the row is frozen. Transactions are counted in a circle: age() is the distance back from one and the same
 * transaction for both, so a row that is younger than the fence is never left out as long as the fence itself is less than half a turn old; a
 * row from a whole turn ago may look young, and is merged in vain. It is computed for each row, since parallel workers may count from another
 * transaction than their leader.
 */
export function versionSql(from: string): string {
  const xid = (BigInt(from) & XID).toString();
  return `age(xmin) <= age(${literal(xid)}::xid)`;
}
