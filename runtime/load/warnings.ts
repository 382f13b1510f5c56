/** What a load warns of: each thing once, however often the load starts over. */
import type { TaskContext } from "../core/task.ts";
import { describeWarning, type Warning } from "../core/warning.ts";

export class Warnings {
  readonly #told = new Set<string>();
  readonly #hear: ((warning: Warning) => void) | undefined;

  constructor(hear: ((warning: Warning) => void) | undefined) {
    this.#hear = hear;
  }

  tell(context: Pick<TaskContext, "log">, warnings: readonly Warning[]): void {
    for (const warning of warnings) {
      const line = describeWarning(warning);
      if (this.#told.has(line)) continue;
      this.#told.add(line);
      context.log(line, "warn");
      this.#hear?.(warning);
    }
  }
}
