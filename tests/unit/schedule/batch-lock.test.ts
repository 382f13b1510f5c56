import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { acquireBatchLock, findRunningBatch } from "../../../runtime/schedule/batch-lock.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "novadrive-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const MODULE = new URL("../../../runtime/schedule/batch-lock.ts", import.meta.url).href;

describe("acquireBatchLock", () => {
  it("is refused while it is held, naming the process, and given again afterwards", () => {
    {
      using _held = acquireBatchLock(folder);
      expect(() => acquireBatchLock(folder)).toThrow(
        expect.objectContaining({ code: "BATCH_RUNNING", message: expect.stringContaining(`process ${process.pid}`) }),
      );
    }
    using again = acquireBatchLock(folder);
    expect(again).toBeDefined();
  });

  it("is refused to another process", () => {
    using _held = acquireBatchLock(folder);
    const script = `import(${JSON.stringify(MODULE)}).then((m) => { try { m.acquireBatchLock(${JSON.stringify(folder)}); console.log("got it"); } catch (e) { console.log(e.code); } })`;
    expect(execFileSync(process.execPath, ["-e", script], { encoding: "utf8" }).trim()).toBe("BATCH_RUNNING");
  });

  it("is free again when the process that held it was killed", async () => {
    const script = `import(${JSON.stringify(MODULE)}).then((m) => { m.acquireBatchLock(${JSON.stringify(folder)}); console.log("held"); setInterval(() => {}, 1000); })`;
    const holder = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(holder.stdout, "data");
    expect(() => acquireBatchLock(folder)).toThrow(expect.objectContaining({ code: "BATCH_RUNNING" }));
    holder.kill("SIGKILL");
    await once(holder, "exit");
    using again = acquireBatchLock(folder);
    expect(again).toBeDefined();
  });

  it("says so when the folder cannot be made", () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    chmodSync(file, 0o400);
    expect(() => acquireBatchLock(join(file, "state"))).toThrow(
      expect.objectContaining({ code: "FOLDER_NOT_WRITABLE" }),
    );
  });
});

describe("findRunningBatch", () => {
  it("makes nothing where no batch ever ran", () => {
    expect(findRunningBatch(folder)).toBeUndefined();
    expect(findRunningBatch(join(folder, "nowhere"))).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("names the process that runs one, and none afterwards", () => {
    {
      using _held = acquireBatchLock(folder);
      expect(findRunningBatch(folder)).toEqual({ pid: process.pid });
      rmSync(join(folder, "batch.pid"));
      expect(findRunningBatch(folder)).toEqual({ pid: undefined });
    }
    expect(findRunningBatch(folder)).toBeUndefined();
  });

  it("says so when the lock is none", () => {
    writeFileSync(join(folder, "batch.lock"), "This is a text. ".repeat(1000));
    expect(() => findRunningBatch(folder)).toThrow(expect.objectContaining({ code: "FOLDER_NOT_WRITABLE" }));
  });

  it("keeps nobody from taking the lock", () => {
    acquireBatchLock(folder)[Symbol.dispose]();
    expect(findRunningBatch(folder)).toBeUndefined();
    using lock = acquireBatchLock(folder);
    expect(lock).toBeDefined();
  });
});
