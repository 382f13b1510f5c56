/**
 * Several sessions write whatever they like, batches run in between and in their midst, calls fail, connections break, processes are killed:
 * after each batch that was published the stage tables equal the source as the batch's own snapshot shows it.
 *
 * `npm run test:soak` does the same without an end. MODEL_CASES=n runs n times as many here.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { alwaysEqual, engineOf, type Kind } from "../../support/model/properties.ts";
import { World } from "../../support/model/world.ts";
import { testServerUrl } from "../../support/postgres.ts";

const SEED = 20260104;
const TIMES = Number(process.env["MODEL_CASES"] ?? 1);

const CASES = [
  ["duckdb", 150],
  ["duckdb-killed", 6],
  ["snowflake", 8],
  ["snowflake-killed", 3],
] as const satisfies readonly (readonly [Kind, number])[];

test.each(CASES)(
  "%s: after each batch every stage table equals the source",
  async (kind, count) => {
    await using world = await World.create({ serverUrl: await testServerUrl(), engine: engineOf(kind) });
    const numRuns = count * TIMES;
    await fc.assert(alwaysEqual(kind, world), { seed: SEED, numRuns, endOnFailure: TIMES === 1 });
    const { cases, published, failed, kills, drops, errors, verifications } = world.tally;
    expect(cases).toBe(numRuns);
    expect(published).toBeGreaterThanOrEqual(numRuns);
    expect(verifications).toBeGreaterThan(0);
    // What could go wrong did.
    if (numRuns > 5) expect(failed).toBeGreaterThan(0);
    expect(kind.endsWith("killed") ? kills : drops + errors).toBeGreaterThan(0);
    expect(world.writers.done).toBeGreaterThan(numRuns);
  },
  600_000 * TIMES,
);
