/** What a new manifest would do to the tables that are there: what only adds, and what loses data, order or validity. Pure. */
import type { ChangeName, LockedColumn, LockedTable, LockedTables } from "./lock.ts";

export interface Change extends ChangeName {
  /** Old type, key or order, where the change has one. */
  readonly from?: string | undefined;
}

export interface Comparison {
  /** In the order of the tables' names. */
  readonly changes: readonly Change[];
  /** A line each. */
  readonly additions: readonly string[];
}

export function compareTables(locked: LockedTables, current: LockedTables): Comparison {
  const changes: Change[] = [];
  const additions: string[] = [];
  const fresh = new Set(Object.keys(current).filter((name) => locked[name] === undefined));
  for (const name of Object.keys(locked).toSorted()) {
    const before = locked[name];
    if (!before) continue;
    const after = current[name];
    if (after) {
      compareTable(name, before, after, { changes, additions });
      continue;
    }
    const heir = [...fresh].toSorted().find((other) => hasSameColumns(before, current[other]));
    if (heir === undefined) {
      changes.push({ change: "drop-table", table: name });
    } else {
      fresh.delete(heir);
      changes.push({ change: "rename-table", table: name, to: heir });
    }
  }
  additions.push(...[...fresh].toSorted().map((name) => `table ${name}`));
  return { changes, additions };
}

function hasSameColumns(before: LockedTable, after: LockedTable | undefined): boolean {
  return after !== undefined && JSON.stringify(before.columns) === JSON.stringify(after.columns);
}

interface Found {
  readonly changes: Change[];
  readonly additions: string[];
}

function compareTable(table: string, before: LockedTable, after: LockedTable, { changes, additions }: Found): void {
  const heirs = findHeirs(before.columns, after.columns);
  for (const column of before.columns) {
    const heir = heirs.get(column.name);
    if (!heir) {
      changes.push({ change: "drop-column", table, column: column.name });
      continue;
    }
    if (heir.name !== column.name) changes.push({ change: "rename-column", table, column: column.name, to: heir.name });
    compareColumn(table, column, heir, { changes, additions });
  }
  compareOrder({ table, before, after, heirs }, { changes, additions });
  const key = before.primaryKey.map((column) => heirs.get(column)?.name ?? column).join(", ");
  const newKey = after.primaryKey.join(", ");
  if (key !== newKey) changes.push({ change: "change-primary-key", table, from: key || "none", to: newKey || "none" });
}

/** Which column carries on for which: the one of the same name, else a new one of the same type in the same place. */
function findHeirs(before: readonly LockedColumn[], after: readonly LockedColumn[]): ReadonlyMap<string, LockedColumn> {
  const old = new Set(before.map(({ name }) => name));
  const byName = new Map(after.map((column) => [column.name, column]));
  const heirs = new Map<string, LockedColumn>();
  for (const [index, { name, type }] of before.entries()) {
    const inPlace = after[index];
    const renamed = inPlace && !old.has(inPlace.name) && inPlace.type === type ? inPlace : undefined;
    const heir = byName.get(name) ?? renamed;
    if (heir) heirs.set(name, heir);
  }
  return heirs;
}

function compareColumn(table: string, before: LockedColumn, after: LockedColumn, { changes, additions }: Found): void {
  const column = before.name;
  if (before.type !== after.type) {
    const change = typeChange(before.type, after.type);
    if (change === undefined) additions.push(`${table}.${column} is ${after.type} instead of ${before.type}`);
    else changes.push({ change, table, column, from: before.type, to: after.type });
  }
  if (before.nullable && !after.nullable) changes.push({ change: "set-not-null", table, column });
  if (!before.nullable && after.nullable) additions.push(`${table}.${column} may be NULL`);
}

/**
 * Undefined for what Snowflake widens in place: a longer VARCHAR, a NUMBER with more digits before its point.
 * https://docs.snowflake.com/en/sql-reference/sql/alter-table-column
 */
function typeChange(before: string, after: string): "narrow-type" | "change-type" | undefined {
  const [old, now] = [parseType(before), parseType(after)];
  if (!old || !now || old.kind !== now.kind || old.scale !== now.scale) return "change-type";
  if (now.size < old.size) return "narrow-type";
  return old.kind === "VARCHAR" || old.kind === "NUMBER" ? undefined : "change-type";
}

function parseType(text: string): { kind: string; size: number; scale: number } | undefined {
  const match = /^([A-Z_]+)(?:\((\d+)(?:,(\d+))?\))?$/.exec(text);
  return match ? { kind: match[1] ?? "", size: Number(match[2] ?? 0), scale: Number(match[3] ?? 0) } : undefined;
}

interface Order {
  readonly table: string;
  readonly before: LockedTable;
  readonly after: LockedTable;
  readonly heirs: ReadonlyMap<string, LockedColumn>;
}

/** Snowflake puts a new column behind all others, wherever the program has it; the plan would show the difference for ever. */
function compareOrder({ table, before, after, heirs }: Order, { changes, additions }: Found): void {
  const kept = before.columns.flatMap(({ name }) => heirs.get(name)?.name ?? []);
  const keptNow = after.columns.map(({ name }) => name).filter((name) => kept.includes(name));
  if (kept.join() !== keptNow.join()) {
    changes.push({ change: "reorder-columns", table, from: kept.join(", "), to: keptNow.join(", ") });
  }
  const last = after.columns.findLastIndex(({ name }) => kept.includes(name));
  for (const [index, { name, nullable, type }] of after.columns.entries()) {
    if (kept.includes(name)) continue;
    if (index < last) changes.push({ change: "insert-column", table, column: name });
    if (!nullable) changes.push({ change: "add-not-null-column", table, column: name });
    if (index > last && nullable) additions.push(`${table}.${name}, ${type}`);
  }
}
