/** A batch in a process of its own, which is killed where the test wants it. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { At } from "./hooked.ts";
import type { LoadOptions } from "./load.ts";
import type { BatchFault } from "./steps.ts";
import type { FromWorker, ToWorker } from "./worker.ts";

export interface LoadInWorkerOptions extends Omit<LoadOptions, "source" | "warehouse" | "onWake" | "weaken"> {
  readonly sourceUrl: string;
  readonly warehouseUrl: string;
  readonly at: At;
  /** Asked after each point: whether the process is to be killed now. */
  readonly dies: () => BatchFault | undefined;
}

/** Milliseconds that a batch of a few rows may take on a busy machine. */
const LONGEST = 120_000;

export interface WorkerOutcome {
  readonly killed: boolean;
  /** Why the batch failed, or that it did not end. */
  readonly error?: string | undefined;
}

export async function loadInWorker(given: LoadInWorkerOptions): Promise<WorkerOutcome> {
  const { sourceUrl, warehouseUrl, at, dies, ...options } = given;
  const child = fork(join(import.meta.dirname, "worker.ts"), {
    serialization: "advanced",
    // Half of its start is reading TypeScript.
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "novadrive-model-compiled") },
  });
  const exited = once(child, "exit");
  child.on("error", () => {});
  const tell = (message: ToWorker) => child.connected && child.send(message, () => {});
  let work = Promise.resolve();
  let done: Extract<FromWorker, { type: "done" }> | undefined;
  let killing: Promise<void> | undefined;
  child.on("message", (heard: FromWorker) => {
    if (heard.type === "done") {
      done = heard;
      child.disconnect();
    }
    if (heard.type !== "at") return;
    work = work.then(async () => {
      const error = await at(heard.moment).then(
        () => undefined,
        (thrown: unknown) => String(thrown),
      );
      const { point } = heard;
      const fault = dies();
      // With a delay the process goes on meanwhile, and dies somewhere in what it does next.
      if (fault && fault.delay > 0) tell({ type: "go", point, error });
      if (fault) killing ??= wait(fault.delay).then(() => void child.kill("SIGKILL"));
      else tell({ type: "go", point, error });
    });
  });
  let hung = false;
  const limit = setTimeout(() => {
    hung = true;
    child.kill("SIGKILL");
  }, LONGEST);
  tell({ type: "run", sourceUrl, warehouseUrl, options });
  const [, signal] = (await exited) as [number | null, NodeJS.Signals | null];
  clearTimeout(limit);
  if (hung) throw new Error(`The process of a batch had not ended after ${LONGEST / 1000} s`);
  await work;
  await killing;
  const killed = signal === "SIGKILL";
  return { killed, error: done ? done.error : killed ? "killed" : "the process ended" };
}
