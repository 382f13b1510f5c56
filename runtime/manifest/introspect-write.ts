/**
 * Writes a manifest from live tables, or extends one that exists. What a person wrote stays as it is, byte for byte: new tables and
 * columns are inserted as lines behind those that are there.
 */
import { isDeepStrictEqual } from "node:util";
import { isMap, isScalar, isSeq, parseDocument, stringify, type Document, type YAMLMap, type YAMLSeq } from "yaml";
import { NovaError } from "../core/errors.ts";
import { missingColumns, type LiveTable } from "./introspect.ts";
import {
  addedColumnEntry,
  columnEntries,
  syncFor,
  type ColumnEntry,
  type EntryContext,
  type SyncEntry,
} from "./introspect-entry.ts";
import { DELETED_AT } from "./manifest.ts";

export interface WriteOptions {
  /** The manifest as it is; undefined or empty text writes a new one. */
  readonly existingText?: string | undefined;
  /** All tables of the PostgreSQL schema. */
  readonly tables: readonly LiveTable[];
  /** The PostgreSQL schema that was read. */
  readonly schema: string;
  /** dbt's name of the source, and the stage schema, of a new manifest; `stage` unless told. */
  readonly sourceName?: string | undefined;
}

const HEADER = `# The tables that are copied from PostgreSQL, told once: dbt reads this file as a source,
# the infrastructure program makes the stage tables from it, the runtime loads them by it.
# \`novadrive introspect\` shows how it differs from the live database; \`--write\` extends it.
version: 2
`;

/**
 * The text of the manifest with everything in it that the live tables have. Nothing is ever taken out or changed: dropped and retyped
 * columns are for a person to judge, who sees them in the difference.
 *
 * @throws NovaError MANIFEST_INVALID if the existing text is no manifest that can be extended
 */
export function writeManifest(options: WriteOptions): string {
  const { existingText, tables, schema, sourceName = "stage" } = options;
  const usable = tables.filter((table) => missingColumns(table, []).length > 0);
  if (existingText === undefined || existingText.trim() === "") return newManifest(usable, schema, sourceName);
  return extendManifest(existingText, usable, schema);
}

function newManifest(tables: readonly LiveTable[], schema: string, sourceName: string): string {
  const tableNames = new Map(tables.map((table) => [table.name, table.name]));
  const standard = commonSync(tables);
  const meta = { source_schema: schema, ...(standard ? { sync: standard } : {}) };
  const lines = [
    "sources:",
    `  - name: ${inline(sourceName)}`,
    `    schema: ${inline(sourceName)}`,
    "    config:",
    "      meta:",
    ...Object.entries(meta).map(([name, value]) => `        ${name}: ${inline(value)}`),
    ...(tables.length === 0 ? ["    tables: []"] : ["    tables:"]),
    ...tables.flatMap((table) =>
      tableLines(table, { context: { sourceName, tableNames }, standard }).map((line) => `      ${line}`),
    ),
  ];
  return `${HEADER}${lines.join("\n")}\n`;
}

/** What most of the tables have in common stands once, above them. */
function commonSync(tables: readonly LiveTable[]): SyncEntry | undefined {
  const counts = Map.groupBy(tables.map(syncFor), (sync) => JSON.stringify(sync));
  const [most] = [...counts.values()].toSorted((a, b) => b.length - a.length);
  return most && most.length > 1 ? most[0] : undefined;
}

interface TableStyle {
  readonly context: EntryContext;
  /** The settings that hold for all tables of the source. */
  readonly standard: unknown;
  /** Set where the table's name in the manifest is not its own. */
  readonly name?: string | undefined;
  readonly sourceSchema?: string | undefined;
}

function tableLines(table: LiveTable, { context, standard, name = table.name, sourceSchema }: TableStyle): string[] {
  const sync = syncFor(table);
  const meta = {
    ...(sourceSchema === undefined ? {} : { source_schema: sourceSchema }),
    ...(name === table.name ? {} : { source_table: table.name }),
    ...(table.primaryKey.length > 0 ? { primary_key: table.primaryKey } : {}),
    ...(sameSync(sync, standard) ? {} : { sync }),
  };
  return [
    `- name: ${inline(name)}`,
    ...(table.comment ? [`  description: ${inline(table.comment)}`] : []),
    ...(Object.keys(meta).length > 0 ? ["  config:", `    meta: ${inline(meta)}`] : []),
    "  columns:",
    ...columnEntries(table, context).flatMap((entry) => columnLines(entry).map((line) => `    ${line}`)),
  ];
}

function sameSync(sync: SyncEntry, standard: unknown): boolean {
  return typeof standard === "object" && standard !== null && isDeepStrictEqual({ ...sync }, { ...standard });
}

/** A column in one line; one with a description in several. */
function columnLines(entry: ColumnEntry): string[] {
  if (entry.description === undefined) return [`- ${inline(entry)}`];
  return Object.entries(entry).map(([key, value], index) => `${index === 0 ? "- " : "  "}${key}: ${inline(value)}`);
}

/** A value in YAML's one-line form. dbt reads YAML 1.1, where `no` and `on` are booleans, so such words are quoted. */
function inline(value: unknown): string {
  return stringify(value, {
    collectionStyle: "flow",
    flowCollectionPadding: false,
    lineWidth: 0,
    blockQuote: false,
    compat: "yaml-1.1",
  }).trimEnd();
}

function extendManifest(text: string, tables: readonly LiveTable[], schema: string): string {
  const document = parseDocument(text, { keepSourceTokens: true });
  const sources = document.get("sources");
  if (document.errors.length > 0 || !isSeq(sources)) {
    const why = document.errors[0]?.message ?? "it has no list of sources";
    throw new NovaError("MANIFEST_INVALID", `The manifest cannot be extended: ${why}.`);
  }
  const entries = sources.items.flatMap((source) => (isMap(source) ? entriesOf(source) : []));
  const insertions: Insertion[] = [];
  const taken = new Set(entries.map((entry) => entry.name.toLowerCase()));
  const home = homeOf(sources, schema);
  const here = entries.filter((entry) => entry.sourceSchema === schema);
  const fresh = tables.filter((table) => !here.some((entry) => entry.sourceTable === table.name));
  const tableNames = new Map(here.map((entry) => [entry.sourceTable, entry.name]));
  for (const table of fresh) {
    const name = taken.has(table.name.toLowerCase()) ? `${schema}_${table.name}` : table.name;
    taken.add(name.toLowerCase());
    tableNames.set(table.name, name);
  }
  for (const table of tables) {
    const entry = here.find((one) => one.sourceTable === table.name);
    if (!entry) continue;
    const context = { sourceName: entry.sourceName, tableNames };
    const added = missingColumns(table, entry.taken).map((column) => addedColumnEntry(table, column, context));
    if (added.length > 0) insertions.push({ into: entry.columns, lines: added.flatMap(columnLines) });
  }
  const context = { sourceName: home.name, tableNames };
  const style = { context, standard: home.sync, sourceSchema: home.schema === schema ? undefined : schema };
  const lines = fresh.flatMap((table) => tableLines(table, { ...style, name: tableNames.get(table.name) }));
  if (lines.length > 0) insertions.push({ into: home.tables, lines });
  return insertAll(text, document, insertions);
}

interface KnownTable {
  readonly name: string;
  readonly sourceName: string;
  readonly sourceSchema: string;
  readonly sourceTable: string;
  readonly columns: YAMLSeq;
  /** Names that its stage table has. */
  readonly taken: readonly string[];
}

const textAt = (map: YAMLMap, path: readonly string[]): string | undefined => {
  const value = map.getIn(path);
  return typeof value === "string" ? value : undefined;
};

const DELETES = ["config", "meta", "sync", "deletes"];

function entriesOf(source: YAMLMap): KnownTable[] {
  const tables = source.get("tables");
  if (!isSeq(tables)) return [];
  return tables.items.flatMap((table) => {
    const name = isMap(table) ? textAt(table, ["name"]) : undefined;
    const columns = isMap(table) ? table.get("columns") : undefined;
    if (!isMap(table) || name === undefined || !isSeq(columns)) return [];
    const standard = textAt(source, ["config", "meta", "source_schema"]) ?? "public";
    return [
      {
        name,
        sourceName: textAt(source, ["name"]) ?? "",
        sourceSchema: textAt(table, ["config", "meta", "source_schema"]) ?? standard,
        sourceTable: textAt(table, ["config", "meta", "source_table"]) ?? name,
        columns,
        taken: [
          ...columns.items.flatMap((column) => (isMap(column) ? (textAt(column, ["name"]) ?? []) : [])),
          ...((textAt(table, DELETES) ?? textAt(source, DELETES)) === "soft" ? [DELETED_AT] : []),
        ],
      },
    ];
  });
}

interface Home {
  readonly name: string;
  readonly schema: string;
  readonly sync: unknown;
  readonly tables: YAMLSeq;
}

/** Where new tables go: the source that already reads the schema, else the first one. */
function homeOf(sources: YAMLSeq, schema: string): Home {
  const homes = sources.items.flatMap((source): Home[] => {
    const tables = isMap(source) ? source.get("tables") : undefined;
    if (!isMap(source) || !isSeq(tables)) return [];
    const sync = source.getIn(["config", "meta", "sync"]);
    return [
      {
        name: textAt(source, ["name"]) ?? "",
        schema: textAt(source, ["config", "meta", "source_schema"]) ?? "public",
        sync: isMap(sync) ? sync.toJSON() : undefined,
        tables,
      },
    ];
  });
  const home = homes.find((one) => one.schema === schema) ?? homes[0];
  if (home) return home;
  throw new NovaError("MANIFEST_INVALID", "The manifest cannot be extended: it has no source with a list of tables.");
}

interface Insertion {
  readonly into: YAMLSeq;
  /** Items of a block sequence, not indented. */
  readonly lines: readonly string[];
}

/** From the last place to the first, so that offsets stay true; at one place the outer list first, which then comes behind the inner. */
function insertAll(text: string, document: Document, insertions: readonly Insertion[]): string {
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  let result = text.endsWith("\n") || insertions.length === 0 ? text : text + newline;
  const places: Place[] = [];
  for (const { into, lines } of insertions) {
    const place = placeAfter(result, into);
    if (!place) return insertIntoDocument(document, insertions);
    places.push({ ...place, lines });
  }
  for (const { offset, indent, lines } of places.toSorted((a, b) => b.offset - a.offset || a.indent - b.indent)) {
    const added = lines.map((line) => `${" ".repeat(indent)}${line}${newline}`).join("");
    result = result.slice(0, offset) + added + result.slice(offset);
  }
  return result;
}

interface Place {
  readonly offset: number;
  readonly indent: number;
  readonly lines: readonly string[];
}

/** The start of the line behind the last item of a block sequence (and its comments); undefined for `[…]`, which has no lines. */
function placeAfter(text: string, sequence: YAMLSeq): Omit<Place, "lines"> | undefined {
  const token = sequence.srcToken;
  const last = sequence.items.at(-1);
  if (token?.type !== "block-seq" || !isNodeWithRange(last)) return undefined;
  const end = text.slice(0, last.range[1]).trimEnd().length;
  return { offset: text.indexOf("\n", end) + 1, indent: token.indent };
}

function isNodeWithRange(node: unknown): node is { range: [number, number, number] } {
  return (isMap(node) || isScalar(node) || isSeq(node)) && Array.isArray(node.range);
}

/** For a manifest in flow style: comments are kept, line breaks may move. */
function insertIntoDocument(document: Document, insertions: readonly Insertion[]): string {
  for (const { into, lines } of insertions) {
    const items = parseDocument(lines.join("\n")).contents;
    if (isSeq(items)) into.items.push(...items.items);
    // An empty `[]` becomes a list of lines.
    into.flow = false;
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}
