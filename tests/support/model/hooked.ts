/** A source and a warehouse that stop at each of their calls, so that a test can let something happen there. */
import type { Source, SourceSnapshot } from "../../../runtime/source/source.ts";
import type { Warehouse } from "../../../runtime/warehouse/warehouse.ts";
import type { Moment } from "./steps.ts";

/** Called at each point of a batch, in its order; what it throws is what the call fails with. */
export type At = (moment: Moment | undefined) => Promise<void>;

export function hookedSource(source: Source, at: At): Source {
  return {
    async preflight(...args) {
      await at("preflight");
      return await source.preflight(...args);
    },
    async openSnapshot(...args) {
      await at(undefined);
      const snapshot = await source.openSnapshot(...args);
      try {
        await at("shown");
      } catch (thrown) {
        await snapshot[Symbol.asyncDispose]();
        throw thrown;
      }
      return hookedSnapshot(snapshot, at);
    },
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  };
}

function hookedSnapshot(snapshot: SourceSnapshot, at: At): SourceSnapshot {
  const { at: instant, horizon, state } = snapshot;
  return {
    at: instant,
    horizon,
    state,
    scope: (...args) => snapshot.scope(...args),
    alive: () => snapshot.alive(),
    standing: (...args) => snapshot.standing(...args),
    cannotGoOn: (...args) => snapshot.cannotGoOn(...args),
    count: (...args) => snapshot.count(...args),
    async position(request) {
      await at(undefined);
      return await snapshot.position(request);
    },
    async settle(signal) {
      await at("staged");
      await snapshot.settle(signal);
    },
    async digest(request) {
      await at(undefined);
      return await snapshot.digest(request);
    },
    async extract(request) {
      await at("read");
      const take: typeof request.take = async (...file) => {
        await at(undefined);
        await request.take(...file);
      };
      const summary = await snapshot.extract({ ...request, take });
      await at(undefined);
      return summary;
    },
    fingerprintBasis: (...args) => snapshot.fingerprintBasis(...args),
    fingerprint: (...args) => snapshot.fingerprint(...args),
    fingerprintRows: (...args) => snapshot.fingerprintRows(...args),
    [Symbol.asyncDispose]: () => snapshot[Symbol.asyncDispose](),
  };
}

/** Those of its calls that a batch makes. */
export function hookedWarehouse(warehouse: Warehouse, at: At): Warehouse {
  return {
    capabilities: warehouse.capabilities,
    async prepare(...args) {
      await at(undefined);
      return await warehouse.prepare(...args);
    },
    async readState(...args) {
      await at(undefined);
      return await warehouse.readState(...args);
    },
    firstLoads: warehouse.firstLoads,
    async openIncoming(...args) {
      await at(undefined);
      return await warehouse.openIncoming(...args);
    },
    async publish(...args) {
      await at(undefined);
      const published = await warehouse.publish(...args);
      await at(undefined);
      return published;
    },
    fingerprint: (...args) => warehouse.fingerprint(...args),
    fingerprintRows: (...args) => warehouse.fingerprintRows(...args),
    relationName: (relation) => warehouse.relationName(relation),
    relations: (schema) => warehouse.relations(schema),
    translate: (sql) => warehouse.translate(sql),
    query: (...args) => warehouse.query(...args),
    materialize: (...args) => warehouse.materialize(...args),
    usage: () => warehouse.usage(),
    diagnose: (...args) => warehouse.diagnose(...args),
    [Symbol.asyncDispose]: () => warehouse[Symbol.asyncDispose](),
  };
}
