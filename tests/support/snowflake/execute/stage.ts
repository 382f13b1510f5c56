/** PUT, LIST and REMOVE on internal stages, whose files are in a local folder. */
import { createHash } from "node:crypto";
import { readFile, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { MAX_VARCHAR } from "../../../../runtime/manifest/warehouse-type.ts";
import type { StagedFile } from "../account.ts";
import type { Stage } from "../catalogue.ts";
import type { StatementContext } from "../context.ts";
import { table, STATEMENT_TYPES, type Outcome, type Row } from "../result.ts";
import { rowType } from "../types.ts";

/** Files whose path begins with the given one: it is a prefix, not a folder. */
export async function stagedFiles(
  { account }: StatementContext,
  stage: Stage,
  prefix: string,
): Promise<readonly StagedFile[]> {
  const files = await account.stagedFiles(stage.schema, stage.name);
  return files.filter(({ name }) => name.startsWith(prefix));
}

/** The driver copies the file itself, into the folder that it is told: https://docs.snowflake.com/en/sql-reference/sql/put. */
export async function put(context: StatementContext): Promise<Outcome> {
  const reader = context.reader(1);
  const source = reader.next();
  const target = reader.next();
  if (!source || (target?.kind !== "stage" && target?.kind !== "string")) throw context.unexpected(context.reader(1));
  const { stage, path } = context.stage(target.value);
  context.requirePrivilege("WRITE", "STAGE", `${stage.schema}.${stage.name}`);
  const options = new Map<string, string>();
  while (!reader.done()) {
    const name = reader.next()?.value ?? "";
    if (!reader.punctuation("=")) throw context.unexpected(reader);
    options.set(name, reader.next()?.value ?? "");
  }
  const location = join(context.account.stagePath(stage.schema, stage.name), path);
  const sent = source.value.replace(/^file:\/\//i, "");
  if (options.get("AUTO_COMPRESS") === "FALSE") {
    const size = (await stat(sent).catch(() => undefined))?.size;
    if (size !== undefined) context.account.promised.set(join(location, basename(sent)), size);
  }
  const transfer = {
    command: "UPLOAD",
    src_locations: [sent],
    parallel: Number(options.get("PARALLEL") ?? 4),
    threshold: 209_715_200,
    autoCompress: options.get("AUTO_COMPRESS") !== "FALSE",
    overwrite: options.get("OVERWRITE") === "TRUE",
    sourceCompression: (options.get("SOURCE_COMPRESSION") ?? "AUTO_DETECT").toLowerCase(),
    clientShowEncryptionParameter: false,
    encryptionMaterial: null,
    stageInfo: { locationType: "LOCAL_FS", location, path, region: "", isClientSideEncrypted: false, creds: {} },
  };
  return { ...table([], [], STATEMENT_TYPES.control), transfer };
}

/** https://docs.snowflake.com/en/sql-reference/sql/list */
export async function list(context: StatementContext): Promise<Outcome> {
  const { stage, path } = readStage(context);
  context.requirePrivilege("READ", "STAGE", `${stage.schema}.${stage.name}`);
  const rows: Row[] = [];
  for (const file of await stagedFiles(context, stage, path)) {
    const { size, mtime } = await stat(file.path);
    const md5 = createHash("md5")
      .update(await readFile(file.path))
      .digest("hex");
    rows.push([shownName(stage, file), String(size), md5, mtime.toUTCString()]);
  }
  const text = { kind: "varchar", length: MAX_VARCHAR } as const;
  const columns = [
    rowType("name", text),
    rowType("size", { kind: "number", precision: 38, scale: 0 }),
    rowType("md5", text),
    rowType("last_modified", text),
  ];
  return { columns, rows, statementType: STATEMENT_TYPES.show };
}

/** https://docs.snowflake.com/en/sql-reference/sql/remove */
export async function remove(context: StatementContext): Promise<Outcome> {
  const { stage, path } = readStage(context);
  context.requirePrivilege("WRITE", "STAGE", `${stage.schema}.${stage.name}`);
  const files = await stagedFiles(context, stage, path);
  await Promise.all(files.map((file) => rm(file.path, { force: true })));
  return table(
    ["name", "result"],
    files.map((file) => [shownName(stage, file), "removed"]),
    STATEMENT_TYPES.control,
  );
}

/** The stage's name is in small letters there. */
export function shownName(stage: Stage, { name }: StagedFile): string {
  return `${stage.name.toLowerCase()}/${name}`;
}

function readStage(context: StatementContext): { readonly stage: Stage; readonly path: string } {
  const reader = context.reader(1);
  const target = reader.next();
  if (target?.kind !== "stage" && target?.kind !== "string") throw context.unexpected(context.reader(1));
  if (!reader.done()) throw context.unexpected(reader);
  return context.stage(target.value);
}
