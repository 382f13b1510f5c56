/** One batch in the foreground, for the commands that end with it. */
import type { Config } from "../config/options.ts";
import { EventBus } from "../core/events.ts";
import type { BatchResult } from "../core/result.ts";
import { runBatch, type RunBatchOptions } from "../schedule/run-batch.ts";
import { Store } from "../store/store.ts";
import { showProgress } from "./output/progress.ts";

export interface RunOnceOptions extends Pick<RunBatchOptions, "tables" | "select" | "fullRefresh" | "signal"> {
  readonly config: Config;
}

export async function runOnce({ config, ...options }: RunOnceOptions): Promise<BatchResult> {
  using store = Store.open({ folder: config.stateDir });
  const events = new EventBus();
  events.subscribe((event) => store.record(event));
  using _view = showProgress(events, process.stderr, config.logLevel);
  return await runBatch({ config, store, events, trigger: "command", ...options });
}
