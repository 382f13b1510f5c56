/** The process of one batch, or of one verification: told what to run by the process that started it, and ended with it. */
import type { Config } from "../config/options.ts";
import { hideSecrets } from "../config/resolve-secrets.ts";
import { fromReport, NovaError, toNovaError } from "../core/errors.ts";
import { EventBus, type BatchTrigger } from "../core/events.ts";
import { Store } from "../store/store.ts";
import type { FromBatch, ToBatch } from "./batch-message.ts";
import { runBatch } from "./run-batch.ts";
import { runVerification } from "./run-verification.ts";

const cancel = new AbortController();

// A terminal sends its Ctrl-C, and systemd its SIGTERM, to every process of the service; which one stops what, and when, the server decides.
process.on("SIGINT", () => {}).on("SIGTERM", () => {});
process.on("disconnect", () => cancel.abort(new NovaError("BATCH_CANCELLED", "The serving process has ended.")));
process.on("message", (message: ToBatch) => {
  if (message.type === "cancel") cancel.abort(fromReport(message.reason));
  else void run(message);
});

async function run(message: Exclude<ToBatch, { type: "cancel" }>): Promise<void> {
  hideSecrets(message.config);
  await tell(
    await (message.type === "run" ? outcomeOf(message.config, message.trigger) : verificationOf(message.config)),
  );
  process.disconnect?.();
}

/** It is no batch: nobody is told more than how it ended. */
async function verificationOf(config: Config): Promise<FromBatch> {
  try {
    using store = Store.open({ folder: config.stateDir });
    const events = new EventBus();
    return { type: "verified", result: await runVerification({ config, store, events, signal: cancel.signal }) };
  } catch (thrown) {
    return { type: "error", error: toNovaError(thrown).report() };
  }
}

async function outcomeOf(config: Config, trigger: BatchTrigger): Promise<FromBatch> {
  try {
    using store = Store.open({ folder: config.stateDir });
    const events = new EventBus();
    events.subscribe((event) => store.record(event));
    events.subscribe((event) => void tell({ type: "event", event }));
    return { type: "result", result: await runBatch({ config, store, events, trigger, signal: cancel.signal }) };
  } catch (thrown) {
    return { type: "error", error: toNovaError(thrown).report() };
  }
}

/** Resolves when the message, and with it every earlier one, has left this process: a channel that is closed drops what still waits. */
function tell(message: FromBatch): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected && process.send) process.send(message, () => resolve());
    else resolve();
  });
}
