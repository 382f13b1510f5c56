/** The process of a batch that is there to be killed: it asks at each point whether it may go on. */
import { openWarehouse } from "../../../runtime/warehouse/open.ts";
import { connectModel, loadModel, type LoadOptions } from "./load.ts";
import type { Moment } from "./steps.ts";

export type ToWorker =
  | {
      readonly type: "run";
      readonly sourceUrl: string;
      readonly warehouseUrl: string;
      readonly options: Omit<LoadOptions, "source" | "warehouse" | "at" | "onWake" | "weaken">;
    }
  | { readonly type: "go"; readonly point: number; readonly error?: string | undefined };
export type FromWorker =
  | { readonly type: "at"; readonly point: number; readonly moment: Moment | undefined }
  | { readonly type: "wake" }
  | { readonly type: "done"; readonly error?: string | undefined };

/** By point: several may wait at a time. */
const waiting = new Map<number, (error: string | undefined) => void>();
let points = 0;

const tell = (message: FromWorker) => process.send?.(message);

process.on("disconnect", () => process.exit(1));
process.on("message", (message: ToWorker) => {
  if (message.type === "go") waiting.get(message.point)?.(message.error);
  else void run(message);
});

async function run({ sourceUrl, warehouseUrl, options }: Extract<ToWorker, { type: "run" }>): Promise<void> {
  const at = async (moment: Moment | undefined) => {
    const point = points++;
    const answer = new Promise<string | undefined>((resolve) => {
      waiting.set(point, resolve);
    });
    tell({ type: "at", point, moment });
    const error = await answer;
    waiting.delete(point);
    if (error !== undefined) throw new Error(error);
  };
  await using source = connectModel(sourceUrl, at);
  await using warehouse = await openWarehouse({ url: warehouseUrl });
  const { error } = await loadModel({ ...options, source, warehouse, at, onWake: () => tell({ type: "wake" }) });
  tell({ type: "done", error: error?.message });
}
