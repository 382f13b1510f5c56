import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { bothAtOnce, mapConcurrently } from "../../../runtime/core/concurrency.ts";

const never = new AbortController().signal;

describe("mapConcurrently", () => {
  it("keeps the order of the items and the limit", async () => {
    let running = 0;
    let most = 0;
    const doubled = await mapConcurrently([5, 1, 3], { limit: 2, signal: never }, async (item) => {
      most = Math.max(most, ++running);
      await sleep(item);
      running--;
      return item * 2;
    });
    expect(doubled).toEqual([10, 2, 6]);
    expect(most).toBe(2);
  });

  it("aborts the others at the first failure, waits for them, and throws that failure", async () => {
    const ended: string[] = [];
    const failure = new Error("first");
    const work = mapConcurrently(["slow", "bad", "never begun"], { limit: 2, signal: never }, async (item, signal) => {
      if (item === "bad") throw failure;
      await sleep(60_000, undefined, { signal }).catch(() => undefined);
      ended.push(item);
      throw new Error("later");
    });
    await expect(work).rejects.toBe(failure);
    expect(ended).toEqual(["slow"]);
  });

  it("throws the reason of the outer signal, also when no item noticed", async () => {
    const stop = new AbortController();
    const work = mapConcurrently([1], { limit: 1, signal: stop.signal }, async () => stop.abort(new Error("stopped")));
    await expect(work).rejects.toThrow("stopped");
  });
});

describe("bothAtOnce", () => {
  it("gives both", async () => {
    const both = bothAtOnce(
      never,
      async () => 1,
      async () => "two",
    );
    expect(await both).toEqual([1, "two"]);
  });

  it("has nothing running any more when one fails", async () => {
    const ended: string[] = [];
    const both = bothAtOnce(
      never,
      async (signal) => {
        await sleep(60_000, undefined, { signal }).catch(() => undefined);
        ended.push("slow");
      },
      async () => {
        throw new Error("failed");
      },
    );
    await expect(both).rejects.toThrow("failed");
    expect(ended).toEqual(["slow"]);
  });
});
