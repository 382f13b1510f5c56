/** The exit status of a command that got as far as a result. */
import { ERROR_CODES } from "../core/error-codes.ts";
import type { BatchResult } from "../core/result.ts";

/** 0 all well, 1 something in the batch failed, 2 the configuration kept it from its work. */
export function exitStatus(result: Pick<BatchResult, "status" | "error">): number {
  if (result.error) return ERROR_CODES[result.error.code].exit;
  return result.status === "success" ? 0 : 1;
}
