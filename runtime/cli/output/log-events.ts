/** A process that runs for days says what its batches do in its log. */
import type { EventBus } from "../../core/events.ts";
import type { Log } from "../../core/log.ts";
import { taskId } from "../../core/task.ts";
import { usageLine } from "./summary.ts";

/** @returns a function that ends it */
export function logEvents(events: EventBus, log: Log): () => void {
  return events.subscribe((event) => {
    const batch = event.batchId;
    switch (event.type) {
      case "batch_started":
        log.info({ batch, trigger: event.trigger }, `batch ${batch} started (${event.trigger})`);
        break;
      case "log":
        log[event.level](
          { batch, task: event.task && taskId(event.task) },
          `${event.task ? `${taskId(event.task)}: ` : ""}${event.message}`,
        );
        break;
      case "test_finished":
        if (event.result.status !== "pass")
          log.warn(
            { batch, test: event.result.name, failures: event.result.failures },
            `test ${event.result.name}: ${event.result.status}`,
          );
        break;
      case "batch_finished": {
        const { usage } = event.result;
        if (usage) log.info({ batch, usage }, `batch ${batch}: ${usageLine(usage)}`);
        break;
      }
      case "snapshot_opened":
      case "task_started":
      case "task_progress":
      case "task_finished":
      case "table_finished":
      case "model_finished":
        break;
    }
  });
}
