/** The manifest's entry of a live table, as data: types, key, how to keep it in sync, tests. */
import type { LiveColumn, LiveTable } from "./introspect.ts";
import { missingColumns } from "./introspect.ts";
import { cursorKindOf, dataTypeFor } from "./postgres-type.ts";

export interface SyncEntry {
  readonly mode: "full_refresh" | "incremental";
  readonly cursor?: string | undefined;
  readonly deletes?: "hard" | undefined;
}

export interface ColumnEntry {
  readonly name: string;
  readonly description?: string;
  readonly data_type: string;
  readonly constraints?: readonly { readonly type: "not_null" }[];
  readonly data_tests?: readonly unknown[];
}

export interface EntryContext {
  /** dbt's name of the source, for relationships. */
  readonly sourceName: string;
  /** By name in PostgreSQL: the name that the table has, or will have, in the manifest. */
  readonly tableNames: ReadonlyMap<string, string>;
}

/** Words that name the time of a row's last change, in English and Portuguese. */
const CHANGED =
  /(^|_)(last_?)?(updated?|modified|modification|changed|modstamp|atualizacao|atualizad[oa]|alteracao|alterad[oa]|modificacao|modificad[oa])(_|$)/;
const NOT_CHANGED = /(^|_)(next|planned|proxima?)(_|$)/;

/** By key and a column that says when a row changed, where there is one; else the whole table each time. */
export function syncFor(table: LiveTable): SyncEntry {
  const candidates = table.columns.filter(({ name, type }) => {
    const words = name.replaceAll(/([a-z])([A-Z])/g, "$1_$2").toLowerCase();
    const kind = cursorKindOf(type);
    return (kind === "instant" || kind === "local") && CHANGED.test(words) && !NOT_CHANGED.test(words);
  });
  const cursor = candidates.find(({ type }) => cursorKindOf(type) === "instant") ?? candidates[0];
  if (!cursor || table.primaryKey.length === 0) return { mode: "full_refresh" };
  return { mode: "incremental", cursor: cursor.name, deletes: "hard" };
}

/** All columns of a table that is new to the manifest. */
export function columnEntries(table: LiveTable, context: EntryContext): ColumnEntry[] {
  return missingColumns(table, []).map((column) => {
    const isKey = table.primaryKey.includes(column.name);
    const tests: unknown[] = [];
    if (isKey && table.primaryKey.length === 1) tests.push("unique");
    if (isKey) tests.push("not_null");
    tests.push(...relationships(table, column, context));
    return {
      ...described(column),
      ...(column.notNull || isKey ? { constraints: [{ type: "not_null" }] } : {}),
      ...(tests.length > 0 ? { data_tests: tests } : {}),
    };
  });
}

/** A column that a known table has gained: nullable, whatever the source says, because older rows of the stage table lack it. */
export function addedColumnEntry(table: LiveTable, column: LiveColumn, context: EntryContext): ColumnEntry {
  const tests = relationships(table, column, context);
  return { ...described(column), ...(tests.length > 0 ? { data_tests: tests } : {}) };
}

function described(column: LiveColumn): ColumnEntry {
  return {
    name: column.name,
    ...(column.comment ? { description: column.comment } : {}),
    data_type: dataTypeFor(column.type),
  };
}

function relationships(table: LiveTable, column: LiveColumn, { sourceName, tableNames }: EntryContext): unknown[] {
  return table.foreignKeys.flatMap(({ columns, targetSchema, targetTable, targetColumns }) => {
    const target = tableNames.get(targetTable);
    if (columns.length > 1 || columns[0] !== column.name || targetSchema !== table.schema || !target) return [];
    return [{ relationships: { arguments: { to: `source('${sourceName}', '${target}')`, field: targetColumns[0] } } }];
  });
}
