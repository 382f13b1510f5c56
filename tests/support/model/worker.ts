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
  | { readonly type: "go"; readonly error?: string | undefined };
export type FromWorker =
  | { readonly type: "at"; readonly moment: Moment | undefined }
  | { readonly type: "wake" }
  | { readonly type: "done"; readonly error?: string | undefined };

let answered: ((error: string | undefined) => void) | undefined;

const tell = (message: FromWorker) => process.send?.(message);

process.on("disconnect", () => process.exit(1));
process.on("message", (message: ToWorker) => {
  if (message.type === "go") answered?.(message.error);
  else void run(message);
});

async function run({ sourceUrl, warehouseUrl, options }: Extract<ToWorker, { type: "run" }>): Promise<void> {
  const at = async (moment: Moment | undefined) => {
    const answer = new Promise<string | undefined>((resolve) => {
      answered = resolve;
    });
    tell({ type: "at", moment });
    const error = await answer;
    if (error !== undefined) throw new Error(error);
  };
  await using source = connectModel(sourceUrl, at);
  await using warehouse = await openWarehouse({ url: warehouseUrl });
  const { error } = await loadModel({ ...options, source, warehouse, at, onWake: () => tell({ type: "wake" }) });
  tell({ type: "done", error: error?.message });
}
