import { mkdtempDisposable, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readConfig } from "../../../runtime/config/config.ts";
import type { Finding } from "../../../runtime/core/finding.ts";
import { checkMachine } from "../../../runtime/cli/doctor/machine.ts";
import { acquireBatchLock } from "../../../runtime/schedule/batch-lock.ts";

const folder = () => mkdtempDisposable(join(tmpdir(), "novadrive-machine-"));

async function findings(environment: Readonly<Record<string, string>>): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  const { signal } = new AbortController();
  const report = (...more: readonly Finding[]) => void found.push(...more);
  await checkMachine(readConfig({ environment }), { report, signal });
  return found;
}

const of = async (check: string, environment: Readonly<Record<string, string>>) =>
  (await findings(environment)).filter((finding) => finding.check === check);

describe("the state folder", () => {
  it("is fit if it can be written, or can be made; nothing is made", async () => {
    await using dir = await folder();
    const inside = join(dir.path, "a", "b");
    expect(await of("state folder", { NOVADRIVE_STATE_DIR: dir.path })).toMatchObject([
      { status: "ok", detail: `${dir.path} can be written.` },
    ]);
    expect(await of("state folder", { NOVADRIVE_STATE_DIR: inside })).toMatchObject([
      { status: "ok", detail: `${inside} will be made by the first batch.` },
    ]);
    expect(await readdir(dir.path)).toEqual([]);
  });

  it("cannot be made below a file", async () => {
    await using dir = await folder();
    const file = join(dir.path, "file");
    await writeFile(file, "");
    expect(await of("state folder", { NOVADRIVE_STATE_DIR: join(file, "state") })).toMatchObject([
      {
        status: "failed",
        detail: `${file} is no folder, so ${join(file, "state")} cannot be made.`,
        remedy: expect.stringContaining("NOVADRIVE_STATE_DIR"),
      },
    ]);
  });

  it("is on a disk whose free space is told", async () => {
    await using dir = await folder();
    const [disk] = await of("disk", { NOVADRIVE_STATE_DIR: join(dir.path, "state") });
    expect(disk?.detail).toMatch(/^[\d.]+ [kMGT]?B free at /);
  });
});

describe("the schedule", () => {
  it("is told in words, with its time zone and when it is due next", async () => {
    await using dir = await folder();
    const environment = {
      NOVADRIVE_STATE_DIR: dir.path,
      NOVADRIVE_SCHEDULE: "0 3 1 1 *",
      NOVADRIVE_TIMEZONE: "America/Sao_Paulo",
    };
    const [schedule] = await of("schedule", environment);
    expect(schedule).toMatchObject({ status: "ok", detail: expect.stringContaining("(0 3 1 1 *, America/Sao_Paulo)") });
    expect(schedule?.detail).toMatch(/next at \d{4}-01-01T06:00:00\.000Z\.$/);
  });

  it("is left out where it is not valid, which the settings' findings say", async () => {
    await using dir = await folder();
    const found = await findings({
      NOVADRIVE_STATE_DIR: dir.path,
      NOVADRIVE_TIMEZONE: "Mars/Base",
      NOVADRIVE_PORT: "x",
    });
    expect(found.filter(({ check }) => check === "settings")).toMatchObject([
      { status: "failed", detail: expect.stringContaining("Mars/Base") },
      { status: "failed", detail: expect.stringContaining("NOVADRIVE_PORT") },
    ]);
    expect(found.map(({ check }) => check)).not.toContain("schedule");
  });
});

describe("the batch lock", () => {
  it("is free, or names who holds it", async () => {
    await using dir = await folder();
    const environment = { NOVADRIVE_STATE_DIR: dir.path };
    expect(await of("batch lock", environment)).toMatchObject([{ status: "ok" }]);
    using _held = acquireBatchLock(dir.path);
    expect(await of("batch lock", environment)).toMatchObject([
      { status: "warning", detail: expect.stringContaining(`process ${process.pid}`) },
    ]);
  });

  it("that cannot be read is a failure", async () => {
    await using dir = await folder();
    await writeFile(join(dir.path, "batch.lock"), "This is a text. ".repeat(1000));
    expect(await of("batch lock", { NOVADRIVE_STATE_DIR: dir.path })).toMatchObject([{ status: "failed" }]);
  });
});
