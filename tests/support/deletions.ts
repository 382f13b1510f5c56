/** A project whose batches tell how many rows and keys of each table they have staged. */
import { loadConfig } from "../../runtime/config/config.ts";
import { EventBus } from "../../runtime/core/events.ts";
import type { BatchResult } from "../../runtime/core/result.ts";
import type { VerificationResult } from "../../runtime/core/verification.ts";
import { runBatch } from "../../runtime/schedule/run-batch.ts";
import { runVerification } from "../../runtime/schedule/run-verification.ts";
import { Store } from "../../runtime/store/store.ts";
import { openWarehouse } from "../../runtime/warehouse/open.ts";
import type { Warehouse } from "../../runtime/warehouse/warehouse.ts";
import { othersAreDone } from "./others-are-done.ts";
import { createProject, type Project, type ProjectOptions, type WAREHOUSES } from "./project.ts";

export interface DeletionBatch {
  readonly result: BatchResult;
  /** Keys that were staged, by table; a table of which none were asked for is not there. */
  readonly keys: Readonly<Record<string, number>>;
  /** How often the stage table's own keys were asked for. */
  readonly asked: number;
}

export interface DeletionProject extends Omit<Project, "run"> {
  batch(): Promise<DeletionBatch>;
  verify(): Promise<VerificationResult>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function createDeletionProject(
  warehouse: (typeof WAREHOUSES)[number],
  options: ProjectOptions,
): Promise<DeletionProject> {
  const project = await createProject(warehouse, options);
  const config = loadConfig({ environment: project.environment });
  const { signal } = new AbortController();
  return {
    ...project,
    async batch() {
      const keys: Record<string, number> = {};
      let asked = 0;
      const counting: typeof openWarehouse = async (settings) => {
        const opened: { -readonly [K in keyof Warehouse]: Warehouse[K] } = await openWarehouse(settings);
        const openIncoming = opened.openIncoming.bind(opened);
        opened.openIncoming = async (batchId, table, purpose) => {
          const incoming = await openIncoming(batchId, table, purpose);
          if (purpose === "rows") return incoming;
          keys[table.name] ??= 0;
          const add = incoming.add.bind(incoming);
          incoming.add = async (file, statement) => {
            await add(file, statement);
            keys[table.name] = (keys[table.name] ?? 0) + file.rows;
          };
          return incoming;
        };
        const fingerprint = opened.fingerprint.bind(opened);
        opened.fingerprint = async (request, statement) => {
          if (!request.arriving) asked += 1;
          return await fingerprint(request, statement);
        };
        return opened;
      };
      await othersAreDone(project.database);
      const events = new EventBus();
      using store = Store.open({ folder: config.stateDir });
      events.subscribe((event) => store.record(event));
      const settings = { config, store, events, trigger: "command", signal, openWarehouse: counting } as const;
      const result = await runBatch(settings);
      return { result, keys, asked };
    },
    async verify() {
      const events = new EventBus();
      using store = Store.open({ folder: config.stateDir });
      return await runVerification({ config, store, events, signal, repair: false });
    },
    [Symbol.asyncDispose]: async () => await project[Symbol.asyncDispose](),
  };
}
