/** What `doctor` found out about one thing. */

export interface Finding {
  /** What was checked, e.g. "warehouse DEFAULT_WH". */
  readonly check: string;
  readonly status: "ok" | "warning" | "failed";
  /** What was found, one sentence. */
  readonly detail: string;
  /** The command or setting that mends it; always set unless `status` is "ok". */
  readonly remedy?: string | undefined;
}
