/** Holds the manifest against its lock: what is refused and in which words, what is added, and the lock that comes of it. Pure. */
import type { ManifestTable } from "../../runtime/manifest/manifest.ts";
import { compareTables, type Change } from "./compare.ts";
import { allowanceText, lockedTables, type Allowance, type ChangeName, type ManifestLock } from "./lock.ts";

export interface LockCheck {
  /** One a change that nobody has allowed, or an allowance that is for nothing; a line each. Empty: the manifest may be applied. */
  readonly problems: readonly string[];
  /** What is new, and what is allowed; a line each. */
  readonly news: readonly string[];
  /** What the lock has to be, once there are no problems. */
  readonly next: ManifestLock;
}

export interface LockCheckOptions {
  /** Undefined where there is none yet. */
  readonly lock: ManifestLock | undefined;
  readonly tables: readonly ManifestTable[];
  /** YYYY-MM-DD, for the entries that messages propose. */
  readonly today: string;
}

export function checkLock({ lock, tables, today }: LockCheckOptions): LockCheck {
  const current = lockedTables(tables);
  const { allow = [], history = [] } = lock ?? {};
  const { changes, additions } = compareTables(lock?.tables ?? {}, current);
  const isAllowed = (change: Change): boolean => allow.some((entry) => isSame(entry, change));
  const used = allow.filter((entry) => changes.some((change) => isSame(entry, change)));
  const idle = allow.filter((entry) => !used.includes(entry));
  return {
    problems: [
      ...changes.filter((change) => !isAllowed(change)).map((change) => problem(change, today)),
      ...idle.map((entry) => idleProblem(entry)),
    ],
    news: [
      ...additions.map((addition) => `new: ${addition}`),
      ...changes.filter(isAllowed).map((change) => `allowed: ${where(change)} ${what(change)}`),
    ],
    next: { tables: current, allow: idle, history: [...history, ...used] },
  };
}

function isSame(left: ChangeName, right: ChangeName): boolean {
  return (
    left.change === right.change && left.table === right.table && left.column === right.column && left.to === right.to
  );
}

function where({ table, column }: ChangeName): string {
  return column === undefined ? table : `${table}.${column}`;
}

function what({ change, from = "", to = "" }: Change): string {
  switch (change) {
    case "drop-table":
      return "is gone from the manifest";
    case "rename-table":
    case "rename-column":
      return `is now named ${to}`;
    case "drop-column":
      return "is gone from the manifest";
    case "insert-column":
      return "is new, and not behind all others";
    case "reorder-columns":
      return `has its columns in another order (${from} → ${to})`;
    case "narrow-type":
      return `is narrowed from ${from} to ${to}`;
    case "change-type":
      return `is changed from ${from} to ${to}`;
    case "set-not-null":
      return "may no longer be NULL";
    case "add-not-null-column":
      return "is new and NOT NULL";
    case "change-primary-key":
      return `has another primary key (${from} → ${to})`;
  }
}

/** What would happen to the data. */
function effect({ change }: Change): string {
  switch (change) {
    case "drop-table":
      return "Pulumi would drop the table with its rows.";
    case "rename-table":
      return "Pulumi would drop the old table with its rows and make an empty one.";
    case "drop-column":
      return "Pulumi would drop the column with its values, without asking.";
    case "rename-column":
      return "Pulumi would drop the old column with its values and add an empty one.";
    case "insert-column":
      return "Snowflake puts it behind all others, so that every later plan would show a difference.";
    case "reorder-columns":
      return "Snowflake cannot reorder columns, so that every later plan would show a difference.";
    case "narrow-type":
      return "Snowflake refuses it or values no longer fit, and loads of longer ones fail.";
    case "change-type":
      return "Snowflake cannot change it in place.";
    case "set-not-null":
      return "Snowflake refuses it where there is a NULL, and loads with one fail.";
    case "add-not-null-column":
      return "Snowflake refuses it on a table that has rows.";
    case "change-primary-key":
      return "Rows that are there were matched by the old key, and would stay beside the new ones.";
  }
}

/** The way that loses nothing. */
function remedy({ change, table, column = "", from = "", to = "" }: Change): string {
  switch (change) {
    case "drop-table":
    case "drop-column":
      return "Put it back where it was";
    case "rename-table":
      return `Keep the name (source_table in the manifest says what it is called in PostgreSQL), or first run ALTER TABLE ${table} RENAME TO ${to} and \`pulumi refresh\``;
    case "rename-column":
      return `Keep ${column}, or first run ALTER TABLE ${table} RENAME COLUMN ${column} TO ${to} and \`pulumi refresh\``;
    case "insert-column":
      return "Move it to the end of the table";
    case "reorder-columns":
      return `Restore the order ${from}`;
    case "narrow-type":
    case "change-type":
      return `Write a type that is ${from}, or add a column of the new type at the end`;
    case "set-not-null":
    case "add-not-null-column":
      return "Take its constraint not_null out";
    case "change-primary-key":
      return `Restore the key ${from}`;
  }
}

function problem(change: Change, today: string): string {
  const { table, column, to } = change;
  const entry = allowanceText({ change: change.change, table, column, to, why: "<why>", date: today });
  return `${where(change)} ${what(change)}. ${effect(change)} ${remedy(change)}; or, if it is meant, allow it: ${entry}`;
}

function idleProblem(entry: Allowance): string {
  return `"allow" has an entry for nothing that the manifest changes, which could allow a loss later. Take it out: ${allowanceText(entry)}`;
}
