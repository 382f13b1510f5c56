/** An error as a person reads it: code, what happened, what to do. */
import type { ErrorReport } from "../../core/errors.ts";
import { redact } from "../../core/redact.ts";
import type { Style } from "./style.ts";

/** @param subject the table, model or test that it happened to */
export function describeError(error: ErrorReport, style: Style, subject?: string): string {
  const where = subject === undefined ? "" : `${subject}: `;
  return `${style.bad(error.code)} ${where}${redact(error.message)}\n${style.dim("→")} ${redact(error.remedy)}`;
}
