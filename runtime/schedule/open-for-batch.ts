/** The warehouse for one batch, and the number that the batch goes by, without waking a warehouse that costs money when awake. */
import type { Config } from "../config/options.ts";
import { toNovaError, type NovaError } from "../core/errors.ts";
import type { Store } from "../store/store.ts";
import type { openWarehouse } from "../warehouse/open.ts";
import type { Warehouse } from "../warehouse/warehouse.ts";
import { cacheFolder } from "./build-models.ts";
import { readPublished, type PublishedState } from "./published-copy.ts";

export interface OpenForBatchOptions {
  readonly config: Config;
  readonly store: Store;
  readonly open: typeof openWarehouse;
  readonly warn: (message: string) => void;
}

export interface OpenedForBatch {
  readonly warehouse?: Warehouse | undefined;
  /** The highest batch that is known to have been published. */
  readonly lastBatchId: number;
  /** Of a warehouse whose statements cost money. */
  readonly remembered?: PublishedState | undefined;
  /** Why the warehouse could not be opened or asked. */
  readonly failure?: NovaError | undefined;
}

/**
 * The batch's number continues the warehouse's; where that cannot be asked, the failed batch gets the next one of the history. A warehouse that
 * costs money is asked only if this machine knows of no batch at all: it may turn out later that the number is taken.
 */
export async function openForBatch({ config, store, open, warn }: OpenForBatchOptions): Promise<OpenedForBatch> {
  let warehouse: Warehouse | undefined;
  try {
    warehouse = await open({ url: config.warehouseUrl, cacheFolder: cacheFolder(config), warn });
    if (warehouse.capabilities.metered) {
      const remembered = readPublished(config);
      if (remembered) return { warehouse, remembered, lastBatchId: remembered.lastBatchId };
      if (store.nextBatchId(0) > 1) return { warehouse, lastBatchId: 0 };
    }
    return { warehouse, lastBatchId: (await warehouse.readState()).lastBatchId };
  } catch (thrown) {
    return { warehouse, lastBatchId: 0, failure: toNovaError(thrown) };
  }
}
