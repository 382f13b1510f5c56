/** COPY INTO a table: https://docs.snowflake.com/en/sql-reference/sql/copy-into-table. */
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { once } from "node:events";
import type { Column, Relation, Stage } from "../catalogue.ts";
import { findRefused, isSkipped, refused, withPlace, type FileToCheck } from "../copy-check.ts";
import type { StatementContext } from "../context.ts";
import { readCopyOptions, type CopyOptions, type CsvFormat } from "../copy-options.ts";
import { readCsv } from "../csv.ts";
import { internal, invalidIdentifier, notFound } from "../errors.ts";
import { literal, physicalName, quoted } from "../names.ts";
import { status, STATEMENT_TYPES, table, type Outcome, type Row } from "../result.ts";
import { runInTransaction, runTogether } from "../run.ts";
import { scan } from "../scan.ts";
import type { StagedFile } from "../account.ts";
import { shownName, stagedFiles } from "./stage.ts";
import { insertFile } from "../copy-sql.ts";

const COLUMNS =
  "file status rows_parsed rows_loaded error_limit errors_seen first_error first_error_line first_error_character first_error_column_name".split(
    " ",
  );

interface Copy {
  readonly target: Relation;
  /** Those that the file has, in its order. */
  readonly columns: readonly Column[];
  readonly stage: Stage;
  readonly options: CopyOptions;
}

export async function copyInto(context: StatementContext): Promise<Outcome> {
  const reader = context.reader(1);
  context.expect(reader, "INTO");
  const target = context.relation(context.path(reader), "Table");
  if (target.kind === "VIEW") throw notFound("Table", context.account.catalogue.path(target.schema, target.name));
  if (target.kind !== "TEMPORARY") context.requirePrivilege("INSERT", "TABLE", `${target.schema}.${target.name}`);
  const listed = reader.punctuation("(") ? reader.untilClosed().filter(({ text }) => text !== ",") : undefined;
  context.expect(reader, "FROM");
  const source = reader.next();
  if (source?.kind !== "stage" && source?.kind !== "string") throw context.unexpected(context.reader(reader.at - 1));
  const { stage, path } = context.stage(source.value);
  context.requirePrivilege("READ", "STAGE", `${stage.schema}.${stage.name}`);
  const options = readCopyOptions(context, reader);
  const columns = listed
    ? listed.map(({ value, start }) => {
        const column = target.columns.find(({ name }) => name === value);
        if (!column) throw invalidIdentifier(1, start, value);
        return column;
      })
    : target.columns;
  const files = (await stagedFiles(context, stage, path)).filter(({ name }) => isWanted(name, path, options, target));
  if (files.length === 0) return status("Copy executed with 0 files processed.", STATEMENT_TYPES.copy);
  const rows: Row[] = [];
  await runTogether(context, async () => {
    for (const file of files) rows.push(await copyFile(context, { target, columns, stage, options }, file));
  });
  remember(context, target, files);
  if (options.purge) await Promise.all(files.map((file) => rm(file.path, { force: true })));
  return table(COLUMNS, rows, STATEMENT_TYPES.copy);
}

function isWanted(name: string, path: string, { files, pattern, force }: CopyOptions, target: Relation): boolean {
  if (target.loaded.has(name) && !force) return false;
  if (pattern && !pattern.test(name)) return false;
  return files === undefined || files.some((file) => name === `${path.replace(/\/$/, "")}/${file}`.replace(/^\//, ""));
}

/** A transaction that is rolled back loads nothing, so it remembers nothing. */
function remember({ session }: StatementContext, target: Relation, files: readonly StagedFile[]): void {
  const note = (): void => files.forEach(({ name }) => target.loaded.add(name));
  if (session.transaction) session.transaction.loaded.push(note);
  else note();
}

async function copyFile(context: StatementContext, copy: Copy, file: StagedFile): Promise<Row> {
  const { target, columns, stage, options } = copy;
  const place = context.place(target);
  const check: FileToCheck = { path: file.path, name: file.name, table: target.name, columns, format: options.format };
  let path = file.path;
  try {
    if (!isPlain(options.format) || columns.length === 1) path = await normalized(check);
    const { longest, unclosed } = await scan(path, context.signal);
    if (unclosed) throw await refusal(check);
    const names = columns.map(({ name }) => quoted(physicalName(name))).join(", ");
    const types = columns.map(({ type }) => type);
    const run = (parallel: boolean) =>
      runInTransaction(
        context,
        insertFile(`${place} (${names})`, {
          path: literal(globless(path)),
          types,
          buffer: bufferFor(longest),
          parallel,
        }),
      );
    const result = await run(false).catch(async (thrown: unknown) => {
      throw await refusal(check, thrown);
    });
    const loaded = String(result.rowsChanged);
    return [shownName(stage, file), "LOADED", loaded, loaded, "1", "0", null, null, null, null];
  } finally {
    if (path !== file.path) await rm(path, { force: true });
  }
}

/** What COPY says of a file that it does not take. */
async function refusal(check: FileToCheck, otherwise?: unknown): Promise<unknown> {
  const found = await findRefused(check);
  return found ? withPlace(check, found) : (otherwise ?? internal(`cannot read ${check.name}`));
}

/** What DuckDB's reader can be told exactly. */
function isPlain(format: CsvFormat): boolean {
  return (
    format.delimiter === "," &&
    format.skipHeader === 0 &&
    format.enclosedBy === '"' &&
    format.escapeUnenclosed === undefined &&
    format.nullIf.length === 0 &&
    format.emptyAsNull &&
    !format.trimSpace &&
    format.countMismatchIsError &&
    !format.skipBlankLines
  );
}

/** Bytes; more is slower to begin with. */
const BUFFER = 2 ** 21;

/** A row that is longer than the reader's buffer may come back wrong. */
function bufferFor(longest: number): number {
  return longest < BUFFER ? BUFFER : 2 ** Math.ceil(Math.log2(longest + 1));
}

function globless(path: string): string {
  return path.replaceAll(/[*?[]/g, "[$&]");
}

/** The file in the one form that DuckDB's reader is told: texts quoted, NULL an empty field, a constant column behind a single one. */
async function normalized(check: FileToCheck): Promise<string> {
  const { format, columns } = check;
  const path = `${check.path}.${process.pid}.normalized`;
  const out = createWriteStream(path);
  for await (const record of readCsv(check.path, format)) {
    if (record.row <= format.skipHeader || isSkipped(record, format)) continue;
    const counted = record.fields.length === columns.length || !format.countMismatchIsError;
    const cells = columns.map(({ type, nullable }, at) => {
      const value = record.fields[at]?.value ?? null;
      if (value === null) return nullable ? "" : undefined;
      return refused(value, type) ? undefined : `"${value.replaceAll('"', '""')}"`;
    });
    if (!counted || record.unclosed || record.found !== undefined || cells.includes(undefined)) {
      // What is still to be written has nowhere to go.
      out.on("error", () => undefined).destroy();
      await rm(path, { force: true });
      throw await refusal(check);
    }
    const padding = columns.length === 1 ? ",1" : "";
    if (!out.write(`${cells.join(",")}${padding}\n`)) await once(out, "drain");
  }
  out.end();
  await once(out, "close");
  return path;
}
