/**
 * Something goes wrong at a statement of a batch; the next batch ends equal to the source, with nothing twice and nothing left behind.
 * A few statements by default, every third with FAULTS=third, every kind at every statement with FAULTS=all.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCommand } from "../../support/command.ts";
import { createFaultShop, type FaultShop } from "../../support/fault-shop.ts";
import type { Fault, SeenStatement } from "../../support/snowflake/misbehaviour.ts";

const FAULTS: readonly Fault[] = [
  { fault: "drop-before" },
  { fault: "drop-after" },
  { fault: "status", status: 503 },
  { fault: "delay", milliseconds: 100 },
  {
    fault: "error",
    code: "000603",
    sqlState: "XX000",
    message: "SQL execution internal error: Processing aborted by error 300010",
  },
  {
    fault: "error",
    code: "000630",
    sqlState: "57014",
    message: "Statement reached its statement or warehouse timeout of 1 second(s) and was canceled.",
  },
  { fault: "session-expired" },
  { fault: "master-expired" },
  { fault: "transaction-killed" },
  { fault: "stage-files-lost" },
  { fault: "restart" },
];

/** `some` by default; `third` every third statement, another third for each kind; `all`. */
const EXTENT = process.env["FAULTS"] ?? "some";
/** Statements of a batch of the shop that changes everything, those of its sessions included; a test holds it to that. */
const STATEMENTS = 74;
const EVERY = Array.from({ length: STATEMENTS + 2 }, (_, i) => i + 1);

function places(index: number): readonly number[] {
  if (EXTENT === "some") return [13 + index, 25 + index, 57 + index];
  return EXTENT === "third" ? EVERY.filter((at) => at % 3 === index % 3) : EVERY;
}

/** What could not be removed from the stage goes with the next batch that has something to do; everything else has to be right at once. */
async function problemsOf(disturbed: FaultShop): Promise<readonly string[]> {
  const problems = await disturbed.problems();
  if (problems.length === 0 || !problems.every((problem) => problem.includes("left"))) return problems;
  await disturbed.change();
  await disturbed.run();
  return disturbed.problems();
}

let shop: FaultShop;

beforeAll(async () => {
  shop = await createFaultShop();
  expect((await shop.run()).status).toBe("success");
});

afterAll(async () => shop[Symbol.asyncDispose]());

it("knows how many statements a batch has", async () => {
  await shop.change();
  const before = shop.server.log.length;
  expect((await shop.run()).status).toBe("success");
  expect(Math.abs(shop.server.log.length - before - STATEMENTS)).toBeLessThanOrEqual(2);
  expect(await problemsOf(shop)).toEqual([]);
});

describe.each(
  FAULTS.map((fault, index) => ({ name: "code" in fault ? `error ${fault.code}` : fault.fault, fault, index })),
)("$name", ({ fault, index }) => {
  it.each(places(index))("at statement %i", async (at) => {
    await shop.change();
    const active = shop.server.misbehave({ ...fault, at });
    await shop.run();
    active.remove();
    const next = await shop.run();
    expect(next.error).toBeUndefined();
    expect(next.status).toBe("success");
    expect(await problemsOf(shop)).toEqual([]);
  });
});

describe("a full refresh", () => {
  const kinds = ["error", "drop-after"];
  const faults = FAULTS.filter(({ fault }, index) => kinds.includes(fault) && FAULTS[index - 1]?.fault !== fault);
  const statements = EXTENT === "all" ? EVERY : [24, 52];
  it.each(faults.flatMap((fault) => statements.map((at) => ({ ...fault, at }))))(
    "ends equal after $fault at statement $at",
    async (fault) => {
      await shop.change();
      const active = shop.server.misbehave(fault);
      await shop.run({ fullRefresh: true });
      active.remove();
      const next = await shop.run();
      expect(next.error).toBeUndefined();
      expect(next.status).toBe("success");
      expect(await problemsOf(shop)).toEqual([]);
    },
  );
});

describe("the first batch", () => {
  const statements = EXTENT === "all" ? EVERY.slice(0, 60) : [12, 52];
  it.each(statements)("ends equal after an error at statement %i", async (at) => {
    await using fresh = await createFaultShop();
    fresh.server.misbehave({
      fault: "error",
      code: "000603",
      sqlState: "XX000",
      message: "SQL execution internal error",
      at,
    });
    await fresh.run({ fullRefresh: true });
    fresh.server.misbehaviour.clear();
    await fresh.change();
    const next = await fresh.run();
    expect(next.error).toBeUndefined();
    expect(await problemsOf(fresh)).toEqual([]);
  });
});

const isPublishing = ({ sql, tag }: SeenStatement): boolean => sql === "COMMIT" && tag?.step === "publish";

it("counts a batch as published whose COMMIT took effect though the answer to it was lost for good", async () => {
  await shop.change();
  // The driver asks again, and finds its session gone.
  const lost = shop.server.misbehave({ fault: "drop-after", matches: isPublishing });
  const gone = shop.server.misbehave({ fault: "master-expired", matches: isPublishing });
  const result = await shop.run();
  expect([lost.hits, gone.hits]).toEqual([1, 1]);
  expect(result.error).toBeUndefined();
  expect(result.tables.map(({ name, deleted }) => [name, deleted])).toContainEqual(["orders", 1]);
  expect(await problemsOf(shop)).toEqual([]);
});

it("publishes nothing of a batch whose COMMIT never came through, and leaves no transaction behind", async () => {
  await shop.change();
  const before = await shop.server.sql('SELECT count(*) FROM "PIPELINE"."BATCHES"');
  const lost = shop.server.misbehave({ fault: "drop-before", matches: isPublishing });
  const gone = shop.server.misbehave({ fault: "master-expired", matches: isPublishing });
  const result = await shop.run();
  expect([lost.hits, gone.hits]).toEqual([1, 1]);
  expect(result).toMatchObject({ status: "failed", error: { code: "WAREHOUSE_UNREACHABLE" } });
  expect(await shop.server.sql('SELECT count(*) FROM "PIPELINE"."BATCHES"')).toEqual(before);
  expect(shop.server.sessions.filter(({ inTransaction }) => inTransaction)).toEqual([]);
  expect((await shop.run()).status).toBe("success");
  expect(await problemsOf(shop)).toEqual([]);
});

it.each([
  ["while rows are staged", "load"],
  ["in the middle of the publishing transaction", "publish"],
  ["while models are built", "build"],
])("goes on after a process that was killed %s", async (_, step) => {
  await shop.change();
  const reached = Promise.withResolvers<void>();
  const hold = shop.server.misbehave({
    fault: "delay",
    milliseconds: 3_000,
    matches: ({ sql, tag }) => {
      const isIt = tag?.step === step && /^(COPY|MERGE|INSERT)/.test(sql);
      if (isIt) reached.resolve();
      return isIt;
    },
  });
  await using batch = startCommand(["run", "--json"], { environment: shop.environment });
  await reached.promise;
  batch.process.kill("SIGKILL");
  await batch.ended;
  hold.remove();
  const next = await shop.run();
  expect(next.error).toBeUndefined();
  expect(await problemsOf(shop)).toEqual([]);
});
