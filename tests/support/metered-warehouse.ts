/** A warehouse of DuckDB that says its statements cost money, and notes what it is asked. */
import type { WarehouseUsage } from "../../runtime/core/result.ts";
import { openWarehouse } from "../../runtime/warehouse/open.ts";
import type { Publication, Warehouse } from "../../runtime/warehouse/warehouse.ts";

export interface Meter {
  /** To be handed to `runBatch`. */
  readonly openWarehouse: typeof openWarehouse;
  /** Calls since the last look that would send a statement, by name of the method. */
  takeCalls(): readonly string[];
  /** What was published since the last look. */
  takePublications(): readonly Publication[];
  /** Called before a call goes through; what it throws is what the caller gets. */
  onCall: (name: string) => void;
}

/** Credits that a waking costs here. */
const CREDITS = 1 / 60;

export function createMeter(): Meter {
  let calls: string[] = [];
  let publications: Publication[] = [];
  const meter: Meter = {
    takeCalls() {
      const taken = calls;
      calls = [];
      return taken;
    },
    takePublications() {
      const taken = publications;
      publications = [];
      return taken;
    },
    onCall: () => {},
    async openWarehouse(options) {
      const warehouse = await openWarehouse(options);
      const before = calls.length;
      return meteredWarehouse(warehouse, {
        noted(name, publication) {
          calls.push(name);
          if (publication) publications.push(publication);
          meter.onCall(name);
        },
        usage: () => {
          const statements = calls.length - before;
          return {
            statements,
            warehouse_seconds: statements / 10,
            bytes_staged: 0,
            rows_staged: 0,
            credits: statements === 0 ? 0 : CREDITS,
          };
        },
      });
    },
  };
  return meter;
}

interface Hooks {
  readonly noted: (name: string, publication?: Publication) => void;
  readonly usage: () => WarehouseUsage;
}

function meteredWarehouse(warehouse: Warehouse, { noted, usage }: Hooks): Warehouse {
  const counted = <T>(name: string, work: () => Promise<T>, publication?: Publication): Promise<T> => {
    // What the hook throws comes as the call's failure.
    return Promise.resolve()
      .then(() => noted(name, publication))
      .then(work);
  };
  return {
    capabilities: { ...warehouse.capabilities, metered: true },
    prepare: (manifest, options) => counted("prepare", () => warehouse.prepare(manifest, options)),
    readState: () => counted("readState", () => warehouse.readState()),
    openIncoming: (...args) => counted("openIncoming", () => warehouse.openIncoming(...args)),
    publish: (publication) => counted("publish", () => warehouse.publish(publication), publication),
    fingerprint: (...args) => counted("fingerprint", () => warehouse.fingerprint(...args)),
    fingerprintRows: (...args) => counted("fingerprintRows", () => warehouse.fingerprintRows(...args)),
    relationName: (relation) => warehouse.relationName(relation),
    relations: (schema) => counted("relations", () => warehouse.relations(schema)),
    translate: (sql) => warehouse.translate(sql),
    query: (...args) => counted("query", () => warehouse.query(...args)),
    materialize: (...args) => counted("materialize", () => warehouse.materialize(...args)),
    usage,
    diagnose: (...args) => counted("diagnose", () => warehouse.diagnose(...args)),
    [Symbol.asyncDispose]: () => warehouse[Symbol.asyncDispose](),
  };
}
