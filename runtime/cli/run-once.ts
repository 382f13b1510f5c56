/** One batch in the foreground, for the commands that end with it. */
import type { Config } from "../config/options.ts";
import { EventBus } from "../core/events.ts";
import { runBatch, type RunBatchOptions } from "../schedule/run-batch.ts";
import { Store } from "../store/store.ts";
import { exitStatus } from "./exit-status.ts";
import { showProgress } from "./output/progress.ts";
import { summarize } from "./output/summary.ts";

export interface RunOnceOptions extends Pick<RunBatchOptions, "tables" | "select" | "fullRefresh" | "signal"> {
  readonly config: Config;
  /** One JSON document on standard output, instead of the summary. */
  readonly json: boolean;
}

/** @returns the exit status */
export async function runOnce({ config, json, ...options }: RunOnceOptions): Promise<number> {
  using store = Store.open({ folder: config.stateDir });
  const events = new EventBus();
  events.subscribe((event) => store.record(event));
  const view = showProgress(events, process.stderr);
  const result = await runBatch({ config, store, events, trigger: "command", ...options }).finally(() =>
    view[Symbol.dispose](),
  );
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : summarize(result, process.stdout));
  return exitStatus(result);
}
