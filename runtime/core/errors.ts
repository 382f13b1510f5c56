/** The one error class that reaches a user: a code, what happened, and what to do about it. */
import { ERROR_CODES, type ErrorCodeName } from "./error-codes.ts";
import { redact, redactAll } from "./redact.ts";

export interface NovaErrorOptions {
  /** What to do, more specific than the code's general remedy. */
  readonly remedy?: string | undefined;
  readonly cause?: unknown;
  /** Facts for programs (table, column, key, file, line); must hold no secret. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** The form in which an error stands in JSON output and in the run history. */
export interface ErrorReport {
  readonly code: ErrorCodeName;
  readonly message: string;
  readonly remedy: string;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

export class NovaError extends Error {
  override readonly name = "NovaError";
  readonly code: ErrorCodeName;
  readonly remedy: string;
  readonly details: Readonly<Record<string, unknown>>;

  /**
   * @param code a key of the table of errors
   * @param message names the thing and says why, without a final remedy
   */
  constructor(code: ErrorCodeName, message: string, options: NovaErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy ?? ERROR_CODES[code].remedy;
    this.details = options.details ?? {};
  }

  get exit(): 1 | 2 {
    return ERROR_CODES[this.code].exit;
  }

  get transient(): boolean {
    return ERROR_CODES[this.code].transient;
  }

  /** Whether the whole load must start again with a new snapshot, rather than only the task that failed. */
  get restartsLoad(): boolean {
    return "restartsLoad" in ERROR_CODES[this.code];
  }

  /** As it may be shown and kept: without passwords, whatever an engine's message or a command line quotes. */
  report(): ErrorReport {
    const report = { code: this.code, message: redact(this.message), remedy: redact(this.remedy) };
    if (Object.keys(this.details).length === 0) return report;
    return { ...report, details: redactAll(this.details) as Readonly<Record<string, unknown>> };
  }
}

/** Anything that was thrown, as a NovaError; what has no code of its own becomes INTERNAL. */
export function toNovaError(thrown: unknown): NovaError {
  if (thrown instanceof NovaError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new NovaError("INTERNAL", message, { cause: thrown });
}

/** The error that a report was made from, as far as a report tells. */
export function fromReport({ code, message, remedy, details }: ErrorReport): NovaError {
  return new NovaError(code, message, { remedy, details });
}
