/** Everything that can be known to be wrong before the first row is read: all of it in one message. A pure function of the catalogue. */
import type { ErrorCodeName } from "../core/error-codes.ts";
import { NovaError } from "../core/errors.ts";
import { identifier } from "../core/sql.ts";
import type { Warning } from "../core/warning.ts";
import { missingColumns } from "../manifest/introspect.ts";
import { cursorsOf, stageColumns, type ManifestColumn, type ManifestTable } from "../manifest/manifest.ts";
import { cursorKindOf, fitOf } from "../manifest/postgres-type.ts";
import { exactType } from "../manifest/warehouse-type.ts";
import { isKeyless, type Relation } from "./catalogue.ts";
import { driftOf } from "./drift.ts";

export interface Problem {
  readonly code: ErrorCodeName;
  readonly table: string;
  readonly column?: string | undefined;
  readonly message: string;
  readonly remedy: string;
}

export interface Findings {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Warning[];
}

/** PostgreSQL 14 brought the scan by ranges of ctid, which extracts are made of. */
export const OLDEST_VERSION = 140_000;

/** @param at the server, for the message @throws NovaError SOURCE_VERSION_UNSUPPORTED */
export function requireVersion(version: number, text: string, at: string): void {
  if (version >= OLDEST_VERSION) return;
  throw new NovaError(
    "SOURCE_VERSION_UNSUPPORTED",
    `The source ${at} runs PostgreSQL ${text}; version 14 is the oldest that can be read from.`,
    {
      remedy:
        "Upgrade the source, or read from a newer server that has the same data (logical replication works between versions).",
    },
  );
}

/** @param user role that reads, for the GRANT to run */
export function checkTable(table: ManifestTable, relation: Relation | undefined, user: string): Findings {
  return { problems: problemsOf(table, relation, user), warnings: relation ? driftOf(table, relation) : [] };
}

/** What keeps the table from being read. */
export function problemsOf(table: ManifestTable, relation: Relation | undefined, user: string): readonly Problem[] {
  const name = `${table.sourceSchema}.${table.sourceTable}`;
  const sqlName = identifier(table.sourceSchema, table.sourceTable);
  const problem = (code: ErrorCodeName, message: string, remedy: string, column?: string): Problem => ({
    code,
    table: table.name,
    column,
    message,
    remedy,
  });
  if (!relation) {
    const message = `The source has no table ${name}.`;
    const remedy = `Create it, correct source_schema or source_table of ${table.name} in the manifest, or take the table out.`;
    return [problem("SOURCE_TABLE_MISSING", message, remedy)];
  }
  const problems = [
    ...checkPrivileges(relation, user).map(([message, remedy]) => problem("SOURCE_PERMISSION", message, remedy)),
    ...checkColumns(table, relation, sqlName).map((one) => problem(one.code, one.message, one.remedy, one.column)),
  ];
  const known = new Set(relation.columns.map((column) => column.name));
  const keyProblem = table.primaryKey.every((column) => known.has(column)) ? checkKey(table, relation) : undefined;
  if (keyProblem) problems.push(problem("SOURCE_KEY_MISSING", ...keyProblem));
  return problems;
}

function checkPrivileges(relation: Relation, user: string): [message: string, remedy: string][] {
  const name = `${relation.schema}.${relation.name}`;
  const found: [string, string][] = [];
  if (!relation.schemaUsage) {
    found.push([
      `${user} may not use the schema ${relation.schema}, where ${name} stands.`,
      `GRANT USAGE ON SCHEMA ${identifier(relation.schema)} TO ${identifier(user)};`,
    ]);
  }
  if (!relation.readable) {
    found.push([
      `${user} may not read ${name}.`,
      `GRANT SELECT ON ${identifier(relation.schema, relation.name)} TO ${identifier(user)};`,
    ]);
  }
  if (relation.filtered) {
    found.push([`Row-level security hides rows of ${name} from ${user}.`, `ALTER ROLE ${identifier(user)} BYPASSRLS;`]);
  }
  return found;
}

type ColumnProblem = Omit<Problem, "table">;

function checkColumns(table: ManifestTable, relation: Relation, sqlName: string): ColumnProblem[] {
  const name = `${relation.schema}.${relation.name}`;
  const problems: ColumnProblem[] = [];
  const live = new Map(relation.columns.map((column) => [column.name, column]));
  for (const column of table.columns) {
    const found = live.get(column.name);
    if (!found) {
      const isCursor = cursorsOf(table.sync).includes(column.name);
      problems.push({
        code: isCursor ? "SOURCE_CURSOR_MISSING" : "SOURCE_COLUMN_MISSING",
        column: column.name,
        message: `${name} has no column "${column.name}"${isCursor ? ", which is to be its cursor" : ""}.`,
        remedy: renamed(table, relation, column) + dropped(sqlName, column.name),
      });
      continue;
    }
    const fit = fitOf(found.type, column.type);
    if (!fit.fits) {
      problems.push({
        code: "SOURCE_TYPE_MISMATCH",
        column: column.name,
        message: `${name}.${column.name} is ${found.type.text}, which ${exactType(column.type)} of the manifest cannot hold exactly.`,
        remedy: `In the manifest, for ${column.name} of ${table.name}, ${fit.why}.`,
      });
    }
  }
  return [...problems, ...checkDetection(table, relation)];
}

const dropped = (sqlName: string, column: string): string =>
  `Take it out of the manifest, or add it: ALTER TABLE ${sqlName} ADD COLUMN ${identifier(column)} …;`;

/** Columns that it may be called now: such as the manifest lacks, and its type holds. */
function renamed(table: ManifestTable, relation: Relation, column: ManifestColumn): string {
  const candidates = missingColumns(
    relation,
    stageColumns(table).map(({ name }) => name),
  ).filter((live) => fitOf(live.type, column.type).fits);
  if (candidates.length === 0) return "";
  const names = candidates.map(({ name }) => `"${name}"`).join(" or ");
  return `If it was renamed to ${names}, write that name in the manifest, wherever ${table.name} has the old one: its stage column is then a new one, and the old one stays until you drop it. Else: `;
}

/** Whether the table's changes can be told from the rest in the way that the manifest asks for. */
function checkDetection(table: ManifestTable, relation: Relation): ColumnProblem[] {
  const { mode, detect } = table.sync;
  if (mode === "full_refresh") return [];
  const name = `${relation.schema}.${relation.name}`;
  const names = cursorsOf(table.sync);
  const cursors = relation.columns.filter((column) => names.includes(column.name));
  const problems = cursors.flatMap((cursor): ColumnProblem[] => {
    if (cursorKindOf(cursor.type) === undefined) {
      const message = `${name}.${cursor.name} is ${cursor.type.text}, which cannot be a cursor: it is no timestamp, date or integer.`;
      const remedy = `For ${table.name}, choose another column as sync.cursor, or leave it out: detect: scan needs none.`;
      return [{ code: "SOURCE_TYPE_MISMATCH", column: cursor.name, message, remedy }];
    }
    const [first] = cursors;
    if (!first || first.type.name === cursor.type.name) return [];
    const message = `${name}.${cursor.name} is ${cursor.type.text} and ${first.name} is ${first.type.text}: cursors of different types have no latest one.`;
    const remedy = `For ${table.name}, name columns of one type as sync.cursor.`;
    return [{ code: "SOURCE_TYPE_MISMATCH", column: cursor.name, message, remedy }];
  });
  for (const column of names.filter((one) => !table.columns.some((each) => each.name === one))) {
    if (cursors.some((one) => one.name === column)) continue;
    const message = `${name} has no column "${column}", which is to be its cursor.`;
    problems.push({ code: "SOURCE_CURSOR_MISSING", column, message, remedy: "Correct sync.cursor in the manifest." });
  }
  const what = UNVERSIONED[relation.kind];
  if (what === undefined || problems.length > 0) return problems;
  const remedy = `For ${table.name}, name a column as sync.cursor that holds the time of a row's last change, or use mode: full_refresh.`;
  const refuse = (why: string): ColumnProblem[] => [
    { code: "SOURCE_DETECT_IMPOSSIBLE", message: `${name} is ${what}: ${why}.`, remedy },
  ];
  if (detect === "scan" || names.length === 0) return refuse("it has no row versions to find changes by");
  const counts = cursors.some((cursor) => cursorKindOf(cursor.type) === "number");
  return counts ? refuse("nothing tells which numbers of its cursor may still appear") : [];
}

const UNVERSIONED: Partial<Record<Relation["kind"], string>> = {
  v: "a view",
  m: "a materialized view",
  f: "a foreign table",
};

/** A key that PostgreSQL itself keeps unique, and that is never NULL, is among the columns. Views have none, so nothing is asked of them. */
function checkKey(table: ManifestTable, relation: Relation): [message: string, remedy: string] | undefined {
  if (table.primaryKey.length === 0 || isKeyless(relation)) return undefined;
  const name = `${relation.schema}.${relation.name}`;
  const wanted = table.primaryKey.join(", ");
  const unique = relation.uniqueKeys.some((key) => key.columns.every((column) => table.primaryKey.includes(column)));
  const [best] = relation.uniqueKeys;
  if (!unique) {
    return best
      ? [
          `(${wanted}) is not unique in ${name}.`,
          `In the manifest, write primary_key: [${best.columns.join(", ")}] for ${table.name}.`,
        ]
      : [
          `${name} has no unique key on (${wanted}).`,
          `ALTER TABLE ${identifier(relation.schema, relation.name)} ADD PRIMARY KEY (${table.primaryKey.map((column) => identifier(column)).join(", ")}); or use mode: full_refresh without primary_key.`,
        ];
  }
  const nullable = relation.columns.filter((column) => table.primaryKey.includes(column.name) && !column.notNull);
  if (nullable.length === 0) return undefined;
  const columns = nullable.map((column) => column.name).join(", ");
  return [
    `${columns} of ${name} may be NULL, so (${wanted}) is no primary key.`,
    nullable
      .map(
        ({ name: column }) =>
          `ALTER TABLE ${identifier(relation.schema, relation.name)} ALTER COLUMN ${identifier(column)} SET NOT NULL;`,
      )
      .join(" "),
  ];
}

/** One error for all problems, with the code of the first. */
export function preflightError(problems: readonly Problem[]): NovaError | undefined {
  const [first] = problems;
  if (!first) return undefined;
  const lines = problems.map((problem) => (problems.length === 1 ? problem.message : `- ${problem.message}`));
  const remedies = [...new Set(problems.map((problem) => problem.remedy))];
  return new NovaError(first.code, lines.join("\n"), {
    remedy: remedies.join("\n"),
    details: {
      table: first.table,
      ...(first.column === undefined ? {} : { column: first.column }),
      problems: problems.map(({ code, table, column, message }) => ({ code, table, column, message })),
    },
  });
}
