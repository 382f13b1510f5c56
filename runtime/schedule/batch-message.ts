/** What the serving process and the process of one batch say to each other. */
import type { Config } from "../config/options.ts";
import type { ErrorReport } from "../core/errors.ts";
import type { BatchEvent, BatchTrigger } from "../core/events.ts";
import type { BatchResult } from "../core/result.ts";
import type { VerificationResult } from "../core/verification.ts";

export type ToBatch =
  | { readonly type: "verify"; readonly config: Config }
  | { readonly type: "run"; readonly config: Config; readonly trigger: BatchTrigger }
  /** Stop, and publish nothing; `reason` becomes the batch's error. */
  | { readonly type: "cancel"; readonly reason: ErrorReport };

export type FromBatch =
  | { readonly type: "event"; readonly event: BatchEvent }
  | { readonly type: "result"; readonly result: BatchResult }
  | { readonly type: "verified"; readonly result: VerificationResult }
  /** The batch could not begin. */
  | { readonly type: "error"; readonly error: ErrorReport };
