/** The process of one batch: told what to run by the process that started it, and ended with it. */
import { fromReport, NovaError, toNovaError } from "../core/errors.ts";
import { EventBus } from "../core/events.ts";
import { Store } from "../store/store.ts";
import type { FromBatch, ToBatch } from "./batch-message.ts";
import { runBatch } from "./run-batch.ts";

const cancel = new AbortController();

// A terminal sends its Ctrl-C, and systemd its SIGTERM, to every process of the service; which one stops what, and when, the server decides.
process.on("SIGINT", () => {}).on("SIGTERM", () => {});
process.on("disconnect", () => cancel.abort(new NovaError("BATCH_CANCELLED", "The serving process has ended.")));
process.on("message", (message: ToBatch) => {
  if (message.type === "cancel") cancel.abort(fromReport(message.reason));
  else void run(message);
});

async function run({ config, trigger }: ToBatch & { type: "run" }): Promise<void> {
  try {
    using store = Store.open({ folder: config.stateDir });
    const events = new EventBus();
    events.subscribe((event) => store.record(event));
    events.subscribe((event) => tell({ type: "event", event }));
    tell({ type: "result", result: await runBatch({ config, store, events, trigger, signal: cancel.signal }) });
  } catch (thrown) {
    tell({ type: "error", error: toNovaError(thrown).report() });
  } finally {
    process.disconnect?.();
  }
}

function tell(message: FromBatch): void {
  if (process.connected) process.send?.(message);
}
