/** DuckDB's errors as data, and the code that each of them has for the user. */
import { NovaError } from "../../core/errors.ts";

export interface EngineErrorFacts {
  /** DuckDB's class of error: Binder, Catalog, Parser, Conversion, Constraint, Out of Memory, IO, … */
  readonly kind: string;
  /** First paragraph of DuckDB's message. */
  readonly summary: string;
  /** The whole message. */
  readonly text: string;
  /** Byte of the statement at which it was noticed. */
  readonly position?: number | undefined;
  /** Name of the column, table or function that is meant. */
  readonly subject?: string | undefined;
}

export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly facts: EngineErrorFacts;

  constructor(facts: EngineErrorFacts, cause: unknown) {
    super(facts.text, { cause });
    this.facts = facts;
  }
}

/** Reads what the driver threw; connections have `errors_as_json` set, so that position and names need no guessing. */
export function readEngineError(thrown: unknown): EngineError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const json = /\{"exception_type":[\s\S]*\}/.exec(message);
  const parsed = json ? parseObject(json[0]) : undefined;
  if (parsed) {
    const text = field(parsed, "exception_message") ?? message;
    const position = field(parsed, "position");
    return new EngineError(
      {
        kind: field(parsed, "exception_type") ?? "Unknown",
        summary: firstParagraph(text),
        text,
        position: position !== undefined && /^\d+$/.test(position) ? Number(position) : undefined,
        subject: field(parsed, "name") ?? namedIn(text),
      },
      thrown,
    );
  }
  const plain = /^(?:(.*?) Error: )?([\s\S]*)$/.exec(message);
  const text = plain?.[2] ?? message;
  return new EngineError({ kind: plain?.[1] ?? "Unknown", summary: firstParagraph(text), text }, thrown);
}

/** The name in messages that carry it in their text alone. */
function namedIn(text: string): string | undefined {
  const match =
    /column "?([^"\s]+?)"? (?:not found|does not exist)/i.exec(text) ??
    /with name "?([^"\s]+?)"? does not exist/i.exec(text);
  return match?.[1];
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function field(object: object, name: string): string | undefined {
  const value: unknown = Reflect.get(object, name);
  return typeof value === "string" ? value : undefined;
}

function firstParagraph(text: string): string {
  return (text.split(/\n\s*\n/)[0] ?? "").trim();
}

/** Two transactions wanted to change the same thing; the one that lost may simply be done again. */
export function isConflict(error: EngineError): boolean {
  return (
    /conflict/i.test(error.facts.text) && ["TransactionContext", "Transaction", "Catalog"].includes(error.facts.kind)
  );
}

/** What an error means wherever it happens; undefined where its meaning depends on the statement. */
export function resourceError(error: EngineError, doing: string): NovaError | undefined {
  const { kind, text, summary } = error.facts;
  if (kind === "Out of Memory" || /out of memory|failed to pin block of size/i.test(summary)) {
    return new NovaError("WAREHOUSE_FULL", `DuckDB ran out of memory while ${doing}: ${summary}`, {
      cause: error,
      remedy: "Give the warehouse more memory, or split the model into smaller steps.",
    });
  }
  if (/no space left|disk quota|max_temp_directory_size|failed to offload/i.test(text)) {
    return new NovaError("WAREHOUSE_FULL", `The disk is full; DuckDB stopped while ${doing}: ${summary}`, {
      cause: error,
    });
  }
  if (kind === "IO" || kind === "FATAL" || kind === "INTERNAL") {
    return new NovaError("WAREHOUSE_UNREACHABLE", `The warehouse file failed while ${doing}: ${summary}`, {
      cause: error,
    });
  }
  return undefined;
}

/** @param doing completes "while …": names the table and the step */
export function statementError(thrown: unknown, doing: string): unknown {
  if (!(thrown instanceof EngineError)) return thrown;
  return (
    resourceError(thrown, doing) ??
    new NovaError("WAREHOUSE_QUERY_FAILED", `DuckDB refused a statement while ${doing}: ${thrown.facts.summary}`, {
      cause: thrown,
    })
  );
}
