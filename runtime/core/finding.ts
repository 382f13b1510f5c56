/** What `doctor` found out about one thing. */
import { toNovaError } from "./errors.ts";

export interface Finding {
  /** What was checked, e.g. "warehouse DEFAULT_WH". */
  readonly check: string;
  readonly status: "ok" | "warning" | "failed";
  /** What was found, one sentence. */
  readonly detail: string;
  /** The command or setting that mends it; always set unless `status` is "ok". */
  readonly remedy?: string | undefined;
}

export const ok = (check: string, detail: string): Finding => ({ check, status: "ok", detail });

export const warning = (check: string, detail: string, remedy: string): Finding => ({
  check,
  status: "warning",
  detail,
  remedy,
});

export const failed = (check: string, detail: string, remedy: string): Finding => ({
  check,
  status: "failed",
  detail,
  remedy,
});

/** Anything that was thrown, as the finding that the check failed; without passwords. */
export function failedBy(check: string, thrown: unknown): Finding {
  const { message, remedy } = toNovaError(thrown).report();
  return failed(check, message, remedy);
}
