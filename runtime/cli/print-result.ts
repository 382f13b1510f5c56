/** The end of a command that got as far as a result: what it prints, and its exit status. */
import { ERROR_CODES } from "../core/error-codes.ts";
import type { BatchResult } from "../core/result.ts";
import { summarize, type Summarized } from "./output/summary.ts";

/** 0 all well, 1 something in the batch failed, 2 the configuration kept it from its work. */
function exitStatus(result: Pick<BatchResult, "status" | "error">): number {
  if (result.error) return ERROR_CODES[result.error.code].exit;
  return result.status === "success" ? 0 : 1;
}

/**
 * Prints the result, as one JSON document or for a person. To be called when everything is closed, so that nothing can fail after it.
 *
 * @returns the exit status
 */
export function printResult(result: Summarized, json: boolean): number {
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : summarize(result, process.stdout));
  return exitStatus(result);
}
