/** A kind of cases, tried as often as a test run has time for, with the same seed each time. MODEL_CASES=n tries n times as many. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { startPooler } from "../pooler.ts";
import { testServerUrl } from "../postgres.ts";
import { alwaysEqual, engineOf, type Kind } from "./properties.ts";
import { World } from "./world.ts";

const SEED = 20260104;
const TIMES = Number(process.env["MODEL_CASES"] ?? 1);

export interface TestModelOptions {
  /** Whether batches and verifications go through a pooler of transactions. */
  readonly pooled?: boolean | undefined;
}

export function testModel(kind: Kind, count: number, { pooled = false }: TestModelOptions = {}): void {
  test(`${kind}: after each batch every stage table equals the source`, { timeout: 600_000 * TIMES }, async () => {
    const serverUrl = await testServerUrl();
    await using pooler = pooled ? await startPooler(serverUrl) : undefined;
    const through = pooler && ((url: string) => pooler.through(url));
    await using world = await World.create({ serverUrl, engine: engineOf(kind), through });
    const numRuns = count * TIMES;
    await fc.assert(alwaysEqual(kind, world), { seed: SEED, numRuns, endOnFailure: TIMES === 1 });
    const { cases, published, failed, kills, drops, errors, verifications } = world.tally;
    expect(cases).toBe(numRuns);
    expect(published).toBeGreaterThanOrEqual(numRuns);
    expect(verifications).toBeGreaterThan(0);
    // What could go wrong did.
    expect(failed).toBeGreaterThan(0);
    expect(kind.endsWith("killed") ? kills : drops + errors).toBeGreaterThan(0);
    expect(world.writers.done).toBeGreaterThan(numRuns);
  });
}
