/** YAML files of a person's hand: parsed with positions, so that every complaint names file, line and column. */
import { closestMatch } from "leven";
import { isNode, LineCounter, parseDocument, type Document } from "yaml";
import type { z } from "zod";

/** A mistake in a file, with the place that an editor can jump to. */
export interface FileProblem {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** `sql/models/manifest.yml:12:9 the message` */
export function describeProblem(problem: FileProblem): string {
  return `${problem.file}:${problem.line}:${problem.column} ${problem.message}`;
}

type Path = readonly PropertyKey[];

export interface YamlFile {
  readonly file: string;
  readonly document: Document;
  /** The file's content as plain values. */
  readonly value: unknown;
  /** Line and column, counted from 1, of what stands at a path; of the nearest thing around it if it is missing. */
  position(path: Path): { readonly line: number; readonly column: number };
  problem(path: Path, message: string): FileProblem;
}

interface Parsed {
  readonly text: string;
  readonly lines: LineCounter;
  readonly document: Document.Parsed;
}

/** Characters from which on the last text is not parsed again: a batch reads its manifest twice, which took 0.3 s for 200 tables. */
const LARGE = 10_000;
let lastLarge: WeakRef<Parsed> | undefined;

function parseOnce(text: string): Parsed {
  const last = lastLarge?.deref();
  if (last?.text === text) return last;
  const lines = new LineCounter();
  const parsed = { text, lines, document: parseDocument(text, { lineCounter: lines, prettyErrors: false }) };
  if (text.length >= LARGE) lastLarge = new WeakRef(parsed);
  return parsed;
}

/** Parses YAML text. @returns the syntax errors instead, if there are any */
export function parseYamlFile(file: string, text: string): YamlFile | readonly FileProblem[] {
  const { lines, document } = parseOnce(text);
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  if (document.errors.length > 0) {
    return document.errors.map((error) => ({ file, ...place(error.pos[0]), message: error.message }));
  }
  const value = toPlain(document);
  if ("error" in value) return [{ file, line: 1, column: 1, message: value.error }];
  const position = (path: Path) => {
    for (let length = path.length; length > 0; length--) {
      const offset = keyOffset(document, path.slice(0, length));
      if (offset !== undefined) return place(offset);
    }
    return { line: 1, column: 1 };
  };
  return {
    file,
    document,
    value: value.plain,
    position,
    problem: (path, message) => ({ file, ...position(path), message }),
  };
}

/** Aliases without an anchor are found only here. */
function toPlain(document: Document): { readonly plain: unknown } | { readonly error: string } {
  try {
    return { plain: document.toJS() };
  } catch (thrown) {
    return { error: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

/** Where the key (for a mapping) or the item (for a sequence) at `path` starts. */
function keyOffset(document: Document, path: Path): number | undefined {
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (isMapLike(parent)) {
    const pair = parent.items.find((item) => isNode(item.key) && String(item.key) === String(path.at(-1)));
    if (pair && isNode(pair.key)) return pair.key.range?.[0];
  }
  const node: unknown = document.getIn(path, true);
  return isNode(node) ? node.range?.[0] : undefined;
}

function isMapLike(node: unknown): node is { items: { key: unknown }[] } {
  return (
    typeof node === "object" &&
    node !== null &&
    "items" in node &&
    Array.isArray(node.items) &&
    node.items.every((item: unknown) => typeof item === "object" && item !== null && "key" in item)
  );
}

/**
 * Validates the file's content against a schema.
 *
 * @returns the value, or every problem, each with what would be right
 */
export function validateYamlFile<T>(
  file: YamlFile,
  schema: z.ZodType<T>,
): { value: T } | { problems: readonly FileProblem[] } {
  const result = schema.safeParse(file.value);
  if (result.success) return { value: result.data };
  return { problems: result.error.issues.flatMap((issue) => issueProblems(file, schema, issue)) };
}

function issueProblems(file: YamlFile, schema: z.ZodType, issue: z.core.$ZodIssue): readonly FileProblem[] {
  const where = describePath(issue.path);
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(schema, issue.path);
    return issue.keys.map((key) => {
      const guess = closestMatch(key, known, { maxDistance: 3 });
      const instead = guess ? `did you mean "${guess}"?` : `known here: ${known.join(", ")}`;
      return file.problem([...issue.path, key], `unknown key "${key}"${where}; ${instead}`);
    });
  }
  if (issue.code === "invalid_value") {
    return [file.problem(issue.path, `${last(issue.path)} must be one of: ${issue.values.map(String).join(", ")}`)];
  }
  if (issue.code === "invalid_type" && issue.input === undefined) {
    return [file.problem(issue.path, `"${last(issue.path)}" is missing${describePath(issue.path.slice(0, -1))}`)];
  }
  return [file.problem(issue.path, `${last(issue.path)}: ${issue.message}`)];
}

const last = (path: Path): string => String(path.at(-1) ?? "file");
const describePath = (path: Path): string => (path.length === 0 ? "" : ` in ${path.map(String).join(".")}`);

/** The keys that the schema's object at `path` has; empty if it cannot be told. */
function knownKeys(schema: z.ZodType, path: Path): readonly string[] {
  let at: unknown = schema;
  for (const step of path) at = child(at, step);
  const shape = shapeOf(at);
  return shape ? Object.keys(shape) : [];
}

function child(schema: unknown, step: PropertyKey): unknown {
  const inner = unwrap(schema);
  const shape = shapeOf(inner);
  if (shape) return shape[String(step)];
  return typeof inner === "object" && inner !== null && "element" in inner ? inner.element : undefined;
}

function unwrap(schema: unknown): unknown {
  let inner = schema;
  while (
    typeof inner === "object" &&
    inner !== null &&
    "unwrap" in inner &&
    typeof inner.unwrap === "function" &&
    !("element" in inner)
  ) {
    inner = inner.unwrap();
  }
  return inner;
}

function shapeOf(schema: unknown): Readonly<Record<string, unknown>> | undefined {
  const inner = unwrap(schema);
  if (typeof inner !== "object" || inner === null || !("shape" in inner)) return undefined;
  return inner.shape as Readonly<Record<string, unknown>>;
}
