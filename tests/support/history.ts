/** A run history in a folder of its own that goes away with it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Store, type StoreOptions } from "../../runtime/store/store.ts";

export interface TestHistory extends Disposable {
  readonly folder: string;
  readonly file: string;
  /** Opens the history; closed with the folder at the latest. */
  open(options?: Partial<StoreOptions>): Store;
}

export function testHistory(): TestHistory {
  const folder = mkdtempSync(join(tmpdir(), "novadrive-history-"));
  const opened: Store[] = [];
  return {
    folder,
    file: join(folder, "history.db"),
    open(options = {}) {
      const onError = (error: Error): void => {
        throw error;
      };
      const store = Store.open({ folder, onError, ...options });
      opened.push(store);
      return store;
    },
    [Symbol.dispose]() {
      for (const store of opened) store[Symbol.dispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
