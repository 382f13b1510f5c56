import fc from "fast-check";
import { expect, test } from "vitest";
import { runSteps, type Step } from "../../../runtime/transform/run-steps.ts";

const step = (id: string, ...after: string[]): Step => ({ id, after });
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("what waits for a failed step is skipped, however far away; the rest goes on", async () => {
  const ran: string[] = [];
  const skipped: string[] = [];
  await runSteps({
    steps: [step("a"), step("b", "a"), step("c", "b"), step("d"), step("e", "d", "c"), step("f", "d")],
    limit: 2,
    signal: new AbortController().signal,
    run: async ({ id }) => {
      ran.push(id);
      await turn();
      return id !== "b";
    },
    skip: ({ id }, because) => skipped.push(`${id} because of ${because.id}`),
  });
  expect(ran.toSorted()).toEqual(["a", "b", "d", "f"]);
  expect(skipped.toSorted()).toEqual(["c because of b", "e because of b"]);
});

test("any graph: every step runs or is skipped once, behind what it waits for, never more than the limit at once", async () => {
  const graph = fc.record({
    edges: fc.array(fc.tuple(fc.nat(20), fc.nat(20)), { maxLength: 60 }),
    failing: fc.uniqueArray(fc.nat(20), { maxLength: 4 }),
    limit: fc.integer({ min: 1, max: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(graph, async ({ edges, failing, limit }) => {
      const steps = Array.from({ length: 21 }, (_, index) =>
        step(String(index), ...edges.filter(([a, b]) => a === index && b < index).map(([, b]) => String(b))),
      );
      const outcome = new Map<string, "ok" | "failed" | "skipped">();
      let running = 0;
      await runSteps({
        steps,
        limit,
        signal: new AbortController().signal,
        run: async ({ id, after }) => {
          expect(outcome.has(id)).toBe(false);
          for (const other of after) expect(outcome.get(other)).toBe("ok");
          expect(++running).toBeLessThanOrEqual(limit);
          await turn();
          running--;
          const ok = !failing.includes(Number(id));
          outcome.set(id, ok ? "ok" : "failed");
          return ok;
        },
        skip: ({ id }) => {
          expect(outcome.has(id)).toBe(false);
          outcome.set(id, "skipped");
        },
      });
      expect(outcome.size).toBe(21);
      for (const { id, after } of steps) {
        const blocked = after.some((other) => outcome.get(other) !== "ok");
        expect(outcome.get(id) === "skipped").toBe(blocked);
      }
    }),
    { numRuns: 50 },
  );
});

test("after an abort nothing is begun, and what runs is waited for", async () => {
  const controller = new AbortController();
  const ended: string[] = [];
  const work = runSteps({
    steps: [step("a"), step("b"), step("c", "a")],
    limit: 1,
    signal: controller.signal,
    run: async ({ id }) => {
      controller.abort(new Error("stop"));
      await turn();
      ended.push(id);
      return true;
    },
    skip: () => undefined,
  });
  await expect(work).rejects.toThrow("stop");
  expect(ended).toEqual(["a"]);
});

test("what a step throws comes out when nothing runs any more", async () => {
  const ended: string[] = [];
  const work = runSteps({
    steps: [step("a"), step("b"), step("c")],
    limit: 2,
    signal: new AbortController().signal,
    run: async ({ id }) => {
      if (id === "a") throw new Error("broken");
      await turn();
      ended.push(id);
      return true;
    },
    skip: () => undefined,
  });
  await expect(work).rejects.toThrow("broken");
  expect(ended).toEqual(["b"]);
});
