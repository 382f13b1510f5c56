/** Reads the manifest file: syntax, schema, then the rules that go across its parts; all problems at once, each with its place. */
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { closestMatch } from "leven";
import { NovaError } from "../core/errors.ts";
import {
  describeProblem,
  parseYamlFile,
  validateYamlFile,
  type FileProblem,
  type YamlFile,
} from "../core/yaml-file.ts";
import {
  BATCH_ID,
  DELETED_AT,
  SYNCED_AT,
  cursorsOf,
  type Manifest,
  type ManifestColumn,
  type ManifestTable,
  type SyncSettings,
} from "./manifest.ts";
import { readMisfitPolicy } from "./misfit-policy.ts";
import { manifestSchema, type ManifestFile, type SourceEntry, type TableEntry } from "./schema.ts";
import { DATA_TYPE_EXAMPLES, parseDataType } from "./warehouse-type.ts";

/**
 * @param file path of the manifest, usually `<project>/models/manifest.yml`
 * @throws NovaError MANIFEST_MISSING, MANIFEST_INVALID (message: one line a problem, with file, line and column)
 */
export function readManifest(file: string): Manifest {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new NovaError("MANIFEST_MISSING", `No manifest can be read at ${file}.`, { cause, details: { file } });
  }
  return parseManifest(relative(process.cwd(), file) || file, text);
}

/** The same for text that is at hand. @param file the name to use in messages */
export function parseManifest(file: string, text: string): Manifest {
  const yaml = parseYamlFile(file, text);
  if (!("document" in yaml)) throw invalid(file, yaml);
  const checked = validateYamlFile(yaml, manifestSchema);
  if ("problems" in checked) throw invalid(file, checked.problems);
  const problems: FileProblem[] = [];
  const manifest = { file, tables: readTables(yaml, checked.value, problems) };
  if (problems.length > 0) throw invalid(file, problems);
  return manifest;
}

function invalid(file: string, problems: readonly FileProblem[]): NovaError {
  const [first] = problems;
  return new NovaError(
    "MANIFEST_INVALID",
    `The manifest cannot be used:\n${problems.map(describeProblem).join("\n")}`,
    {
      details: { file, line: first?.line, column: first?.column },
    },
  );
}

function readTables(yaml: YamlFile, content: ManifestFile, problems: FileProblem[]): ManifestTable[] {
  const tables: ManifestTable[] = [];
  const names = new Set<string>();
  for (const [s, source] of content.sources.entries()) {
    for (const [t, entry] of source.tables.entries()) {
      const path = ["sources", s, "tables", t];
      if (names.has(entry.name.toLowerCase())) {
        problems.push(yaml.problem([...path, "name"], `table "${entry.name}" stands here twice; take one out`));
      }
      names.add(entry.name.toLowerCase());
      tables.push(readTable({ yaml, source, entry, path, problems }));
    }
  }
  return tables;
}

interface TableContext {
  readonly yaml: YamlFile;
  readonly source: SourceEntry;
  readonly entry: TableEntry;
  readonly path: readonly PropertyKey[];
  readonly problems: FileProblem[];
}

function readTable(context: TableContext): ManifestTable {
  const { yaml, source, entry, path } = context;
  const meta = entry.config?.meta;
  const primaryKey = meta?.primary_key ?? [];
  const columns = entry.columns.map((_, index) => readColumn(context, index, primaryKey));
  const sync = readSync(context, primaryKey);
  checkColumnNames(context, sync);
  checkNames(context, primaryKey, "primary_key", [...path, "config", "meta", "primary_key"]);
  return {
    name: entry.name,
    sourceName: source.name,
    schema: source.schema ?? source.name,
    sourceSchema: meta?.source_schema ?? source.config?.meta?.source_schema ?? "public",
    sourceTable: meta?.source_table ?? entry.name,
    description: entry.description,
    primaryKey,
    sync,
    columns: columns.map((column) => (primaryKey.includes(column.name) ? { ...column, nullable: false } : column)),
    line: yaml.position(path).line,
  };
}

function readSync(context: TableContext, primaryKey: readonly string[]): SyncSettings {
  const { yaml, source, entry, path, problems } = context;
  const merged = { ...source.config?.meta?.sync, ...entry.config?.meta?.sync };
  const changes = merged.cursor !== undefined || merged.detect !== undefined;
  const mode = merged.mode ?? (primaryKey.length > 0 && changes ? "incremental" : "full_refresh");
  const place = entry.config?.meta?.sync ? [...path, "config", "meta", "sync"] : [...path, "name"];
  const complain = (message: string) => problems.push(yaml.problem(place, message));
  if (merged.deletes === "soft" && primaryKey.length === 0) {
    complain(
      `table "${entry.name}" has deletes: soft but no primary key, by which a row would be known that is gone; add "config: {meta: {primary_key: [<column>]}}", or use deletes: hard`,
    );
  }
  const own = entry.config?.meta?.sync ?? {};
  if (mode === "full_refresh" && (own.deletes === "ignore" || own.delete_check !== undefined)) {
    const word = own.deletes === "ignore" ? "deletes: ignore" : `delete_check: ${own.delete_check}`;
    complain(
      `table "${entry.name}" has ${word}, but is read whole each time (mode: full_refresh), so that every row goes which the source does not have; add "mode: incremental" to sync, or take ${word} out`,
    );
  }
  if (mode === "append" && own.deletes === "soft") {
    complain(
      `table "${entry.name}" has deletes: soft, but mode: append looks for no deletes; use mode: incremental, or take deletes: soft out`,
    );
  }
  if (mode === "full_refresh") return { mode, deletes: merged.deletes === "soft" ? "soft" : "hard" };
  const cursors = cursorsOf({ mode, cursor: merged.cursor, deletes: "hard" });
  if (merged.detect === "cursor" && cursors.length === 0) {
    complain(
      `table "${entry.name}" has detect: cursor but no cursor; add "cursor: <column>" to sync, or use detect: scan`,
    );
  }
  checkNames(context, cursors, "cursor", place);
  if (primaryKey.length === 0) {
    complain(
      `table "${entry.name}" has mode: ${mode} but no primary key, without which a row read twice would stand there twice; add "config: {meta: {primary_key: [<column>]}}", or use mode: full_refresh`,
    );
  }
  return {
    mode,
    ...(merged.cursor !== undefined && { cursor: merged.cursor }),
    ...(merged.detect !== undefined && { detect: merged.detect }),
    // What only ever grows loses no rows either.
    deletes: mode === "append" ? "ignore" : (merged.deletes ?? "hard"),
    ...(merged.delete_check !== undefined && { deleteCheck: merged.delete_check }),
  };
}

function readColumn(context: TableContext, index: number, primaryKey: readonly string[]): ManifestColumn {
  const { yaml, entry, path, problems } = context;
  const column = entry.columns[index];
  if (!column) throw new RangeError(`No column ${index}`);
  const type = parseDataType(column.data_type);
  if (!type) {
    const message = `"${column.data_type}" is not a type of the warehouse; write one like ${DATA_TYPE_EXAMPLES}`;
    problems.push(yaml.problem([...path, "columns", index, "data_type"], message));
  }
  const nullable = !(column.constraints ?? []).some((constraint) => constraint.type === "not_null");
  const meta = [...path, "columns", index, "config", "meta"];
  const { onMisfit, complaint } = readMisfitPolicy(yaml, [...meta, "on_misfit"], {
    given: column.config?.meta?.on_misfit,
    name: column.name,
    dataType: column.data_type,
    type,
    mayBeNull: nullable && !primaryKey.includes(column.name),
  });
  if (complaint !== undefined) problems.push(yaml.problem([...meta, "on_misfit"], complaint));
  return {
    name: column.name,
    type: type ?? { kind: "variant" },
    nullable,
    description: column.description,
    ...(onMisfit && { onMisfit }),
  };
}

/** Names that differ only in case are one name to the warehouse; the load's own columns may not be taken. */
function checkColumnNames({ yaml, entry, path, problems }: TableContext, { deletes }: SyncSettings): void {
  const own = [SYNCED_AT, BATCH_ID, ...(deletes === "soft" ? [DELETED_AT] : [])];
  const seen = new Set<string>(own);
  for (const [index, { name }] of entry.columns.entries()) {
    const key = name.toLowerCase();
    if (seen.has(key)) {
      const why = own.includes(key) ? "is the load's own column" : "stands here twice";
      problems.push(
        yaml.problem([...path, "columns", index, "name"], `column "${name}" of "${entry.name}" ${why}; take it out`),
      );
    }
    seen.add(key);
  }
}

function checkNames(
  context: TableContext,
  names: readonly string[],
  setting: string,
  place: readonly PropertyKey[],
): void {
  const { yaml, entry, problems } = context;
  const known = entry.columns.map((column) => column.name);
  for (const name of names) {
    if (known.includes(name)) continue;
    const guess = closestMatch(name, known, { maxDistance: 3 });
    const instead = guess ? `did you mean "${guess}"?` : `its columns: ${known.join(", ")}`;
    problems.push(yaml.problem(place, `${setting} "${name}" is no column of table "${entry.name}"; ${instead}`));
  }
}
