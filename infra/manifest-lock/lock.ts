/** The form of sql/manifest.lock.json: the stage tables as they were last accepted, and which losses are meant. */
import { z } from "zod";
import type { ManifestTable } from "../../runtime/manifest/manifest.ts";
import { stageTableColumns } from "../../runtime/manifest/stage-table.ts";

export interface LockedColumn {
  /** UPPER CASE, as in Snowflake. */
  readonly name: string;
  /** In its exact form: `NUMBER(38,0)`. */
  readonly type: string;
  readonly nullable: boolean;
}

export interface LockedTable {
  readonly primaryKey: readonly string[];
  /** In Snowflake's order. */
  readonly columns: readonly LockedColumn[];
}

/** By `SCHEMA.TABLE`. */
export type LockedTables = Readonly<Record<string, LockedTable>>;

const CHANGE_KINDS = [
  "drop-table",
  "rename-table",
  "drop-column",
  "rename-column",
  "insert-column",
  "reorder-columns",
  "narrow-type",
  "change-type",
  "set-not-null",
  "add-not-null-column",
  "change-primary-key",
] as const;

type ChangeKind = (typeof CHANGE_KINDS)[number];

/** Names one change to the letter, so that it cannot allow another one later. */
export interface ChangeName {
  readonly change: ChangeKind;
  /** `SCHEMA.TABLE` */
  readonly table: string;
  readonly column?: string | undefined;
  /** New name, type, key or order, where the change has one. */
  readonly to?: string | undefined;
}

/** A change that somebody means, with the reason. */
export interface Allowance extends ChangeName {
  readonly why: string;
  /** YYYY-MM-DD */
  readonly date: string;
}

export interface ManifestLock {
  readonly tables: LockedTables;
  /** Written by hand, for the next change of the manifest. */
  readonly allow: readonly Allowance[];
  /** What was allowed before; the record stays, its force is spent. */
  readonly history: readonly Allowance[];
}

const ABOUT =
  "Written by `npm run manifest:lock` from models/manifest.yml. Only `allow` is written by hand: changes that lose data or order.";

const allowance = z.strictObject({
  change: z.enum(CHANGE_KINDS),
  table: z.string().min(1),
  column: z.string().min(1).optional(),
  to: z.string().min(1).optional(),
  why: z
    .string()
    .regex(/[^\s<>]{2}/, "must say why")
    .refine((why) => !why.startsWith("<"), "must say why"),
  date: z.iso.date("must be a day such as 2026-01-31"),
});

const fileSchema = z.strictObject({
  about: z.string().optional(),
  tables: z.record(
    z.string(),
    z.strictObject({
      primaryKey: z.array(z.string()),
      columns: z.array(z.strictObject({ name: z.string(), type: z.string(), nullable: z.boolean() })),
    }),
  ),
  allow: z.array(allowance).default([]),
  history: z.array(allowance).default([]),
});

/** @throws Error, one line a problem, for text that is no lock */
export function parseLock(text: string): ManifestLock {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    throw new Error(`is no JSON: ${thrown instanceof Error ? thrown.message : String(thrown)}`, { cause: thrown });
  }
  const checked = fileSchema.safeParse(json);
  if (checked.success) return checked.data;
  throw new Error(checked.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("\n"));
}

/** The same text for the same content: tables by name, a line a column, so that a review sees what changes. */
export function formatLock({ tables, allow, history }: ManifestLock): string {
  const names = Object.keys(tables).toSorted();
  const blocks = names.flatMap((name) => {
    const table = tables[name];
    if (!table) return [];
    const key = line(table.primaryKey);
    const columns = list(
      table.columns.map((column) => line({ name: column.name, type: column.type, nullable: column.nullable })),
      "        ",
    );
    return [`    ${line(name)}: {\n      "primaryKey": ${key},\n      "columns": ${columns}\n    }`];
  });
  const parts = [
    `"about": ${line(ABOUT)}`,
    `"tables": {${blocks.length === 0 ? "" : `\n${blocks.join(",\n")}\n  `}}`,
    `"allow": ${list(allow.map(allowanceText), "    ")}`,
    `"history": ${list(history.map(allowanceText), "    ")}`,
  ];
  return `{\n${parts.map((part) => `  ${part}`).join(",\n")}\n}\n`;
}

function list(lines: readonly string[], indent: string): string {
  if (lines.length === 0) return "[]";
  return `[\n${lines.map((one) => `${indent}${one}`).join(",\n")}\n${indent.slice(2)}]`;
}

/** JSON on one line, with a blank behind each comma and colon that separate. */
function line(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(line).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}: ${line(entry)}`).join(", ")}}`;
}

/** An entry of `allow`, as it can be pasted. */
export function allowanceText({ change, table, column, to, why, date }: Allowance): string {
  return line({ change, table, column, to, why, date });
}

/** What the manifest makes in Snowflake. */
export function lockedTables(tables: readonly ManifestTable[]): LockedTables {
  return Object.fromEntries(
    tables.map((table) => [
      `${table.schema}.${table.name}`.toUpperCase(),
      {
        primaryKey: table.primaryKey.map((column) => column.toUpperCase()),
        columns: stageTableColumns(table).map(({ name, type, nullable }) => ({ name, type, nullable })),
      },
    ]),
  );
}
