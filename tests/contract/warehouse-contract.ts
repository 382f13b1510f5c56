/** What every warehouse adapter must do, whatever its engine. */
import { afterAll, beforeAll, describe } from "vitest";
import type { ManifestTable } from "../../runtime/manifest/manifest.ts";
import { describeModels } from "./contract-models.ts";
import { describePublishing } from "./contract-publishing.ts";
import { describeQueries } from "./contract-queries.ts";
import { describeValues } from "./contract-values.ts";
import { Batches, type WarehouseFixture } from "./warehouse-fixture.ts";

/** The warehouse of one group of tests: it is opened once, each test brings tables of its own. */
export interface Suite {
  readonly batches: Batches;
  readonly fixture: WarehouseFixture;
  /** Makes the tables known, as the first step of a batch does. */
  prepare(...tables: readonly ManifestTable[]): Promise<void>;
}

/** Runs the contract suite: `describeWarehouse("DuckDB", openFixture)`. Nothing in it knows the engine. */
export function describeWarehouse(name: string, openFixture: () => Promise<WarehouseFixture>): void {
  describe(`${name} as a warehouse`, () => {
    for (const [group, describeGroup] of GROUPS) {
      describe(group, () => {
        const suite = openSuite(openFixture);
        describeGroup(suite);
      });
    }
  });
}

const GROUPS: readonly (readonly [string, (suite: () => Suite) => void])[] = [
  ["values", describeValues],
  ["publishing", describePublishing],
  ["queries", describeQueries],
  ["models", describeModels],
];

function openSuite(openFixture: () => Promise<WarehouseFixture>): () => Suite {
  let suite: Suite | undefined;
  beforeAll(async () => {
    const fixture = await openFixture();
    const batches = await Batches.for(fixture.warehouse);
    const known = new Map<string, ManifestTable>();
    suite = {
      fixture,
      batches,
      async prepare(...tables) {
        for (const table of tables) known.set(table.name, table);
        const manifest = { file: "manifest.yml", tables: [...known.values()] };
        if (!batches.warehouse.capabilities.managesStageTables) await fixture.makeStageTables(manifest);
        await batches.warehouse.prepare(manifest);
      },
    };
  });
  afterAll(async () => {
    await suite?.batches[Symbol.asyncDispose]();
    await suite?.fixture[Symbol.asyncDispose]();
  });
  return () => {
    if (!suite) throw new Error("The warehouse has not been opened");
    return suite;
  };
}
