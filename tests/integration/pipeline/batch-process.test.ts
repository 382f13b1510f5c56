import { readdirSync, readFileSync } from "node:fs";
import { appendFile, cp } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { NovaError } from "../../../runtime/core/errors.ts";
import { EventBus, type BatchEvent } from "../../../runtime/core/events.ts";
import { runBatchInProcess } from "../../../runtime/schedule/batch-process.ts";
import { Store } from "../../../runtime/store/store.ts";
import { createDealership, SQL_FOLDER, type Dealership } from "../../support/dealership.ts";

/** Starts a batch; `during` is called once, at the first event of the type. */
async function start(dealership: Dealership, options: { at?: BatchEvent["type"]; during?: () => void } = {}) {
  const { config } = dealership;
  using store = Store.open({ folder: config.stateDir });
  const events = new EventBus();
  const seen: BatchEvent[] = [];
  const stop = new AbortController();
  let { during } = options;
  events.subscribe((event) => {
    seen.push(event);
    if (event.type !== options.at) return;
    during?.();
    during = undefined;
  });
  const running = runBatchInProcess({ config, store, events, trigger: "schedule", signal: stop.signal });
  return { outcome: await running.catch((thrown: unknown) => thrown), seen, batch: store.batch(1) };
}

/** The batch's process: a child of this one that runs the worker. */
function workers(): number[] {
  return readdirSync("/proc").flatMap((name) => {
    try {
      const parent = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${name}/status`, "utf8"))?.[1];
      const mine =
        Number(parent) === process.pid && readFileSync(`/proc/${name}/cmdline`, "utf8").includes("batch-worker");
      return mine ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

describe("a batch in a process of its own", () => {
  it("tells its events as they happen, and its result", async () => {
    await using dealership = await createDealership({ sales: 200 });
    const { outcome, seen, batch } = await start(dealership);
    expect(outcome).toMatchObject({ batch_id: 1, status: "success" });
    expect(seen[0]).toMatchObject({ type: "batch_started", trigger: "schedule", at: expect.any(Date) });
    expect(seen.at(-1)).toMatchObject({ type: "batch_finished", result: { status: "success" } });
    expect(batch).toMatchObject({ status: "success" });
    expect(await dealership.differences()).toEqual({});
    expect(workers()).toEqual([]);
  });

  it("that dies is told at once, closed in the history, and made good by the next", async () => {
    await using dealership = await createDealership({ sales: 200 });
    const kill = () => workers().forEach((pid) => process.kill(pid, "SIGKILL"));
    const { outcome, batch } = await start(dealership, { at: "snapshot_opened", during: kill });
    expect(outcome).toBeInstanceOf(NovaError);
    expect(outcome).toMatchObject({ code: "BATCH_ABANDONED", message: expect.stringContaining("SIGKILL") });
    expect(batch).toMatchObject({ status: "failed", error: { code: "BATCH_ABANDONED" } });
    expect(await dealership.run()).toMatchObject({ batch_id: 2, status: "success" });
    expect(await dealership.differences()).toEqual({});
  });

  it("hears that it is to stop, and not the signals of the terminal", async () => {
    await using dealership = await createDealership({ sales: 200 });
    const interrupt = () => workers().forEach((pid) => process.kill(pid, "SIGINT"));
    const { outcome } = await start(dealership, { at: "batch_started", during: interrupt });
    expect(outcome).toMatchObject({ status: "success" });
  });

  it("tells a result that is larger than any buffer on the way", async () => {
    await using dealership = await createDealership({ sales: 10 });
    const projectDir = join(dealership.folder, "project");
    await cp(SQL_FOLDER, projectDir, { recursive: true });
    const columns = Array.from({ length: 3_000 }, (_, index) => `          - {name: c${index}, data_type: nonsense}\n`);
    await appendFile(join(projectDir, "models/manifest.yml"), columns.join(""));
    const { outcome, seen } = await start({ ...dealership, config: { ...dealership.config, projectDir } });
    expect(outcome).toMatchObject({ status: "failed", error: { code: "MANIFEST_INVALID" } });
    expect(JSON.stringify(outcome).length).toBeGreaterThan(300_000);
    expect(seen.at(-1)?.type).toBe("batch_finished");
  });

  it("says why it could not begin", async () => {
    await using dealership = await createDealership({ sales: 10 });
    const { acquireBatchLock } = await import("../../../runtime/schedule/batch-lock.ts");
    using _held = acquireBatchLock(dealership.config.stateDir);
    const { outcome } = await start(dealership);
    expect(outcome).toMatchObject({ code: "BATCH_RUNNING", message: expect.stringContaining(String(process.pid)) });
  });
});
