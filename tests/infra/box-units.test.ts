/**
 * What is checked by the tools that the box's own files are for: systemd, ShellCheck, cloud-init. What is not installed is skipped, and
 * says so; in CI its tests fail.
 */
import { execFile, execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { STATE_DEVICE } from "../../infra/aws/state-volume.ts";
import { renderReleaseScript } from "../../infra/box/release-script.ts";
import { renderUserData } from "../../infra/box/user-data.ts";
import { BUCKET, environmentFor, FILES } from "../support/box/box.ts";
import { unitValues } from "../support/box/unit-file.ts";

const BOX = join(FILES, "..");
const UNITS = [
  join(FILES, "novadrive.service"),
  join(FILES, "novadrive-report.service"),
  join(FILES, "novadrive-report.timer"),
  join(FILES, "novadrive-renew.service"),
  join(FILES, "novadrive-renew.timer"),
  join(BOX, "novadrive-prepare.service"),
];
const VOLUME = { volumeId: "vol-0123456789abcdef0", device: STATE_DEVICE };

const { CI } = process.env;

/** Whether to leave out the tests of a command that is missing. That is said aloud, so that nobody takes its tests for passed. */
function skipped(command: string, find: () => void, remedy: string): boolean {
  try {
    find();
    return false;
  } catch {
    if (CI) return false;
    console.warn(`SKIPPED: ${command} is not installed: ${remedy}`);
    return true;
  }
}

const onPath = (command: string) => () => void execFileSync("sh", ["-c", `command -v ${command}`], { stdio: "ignore" });
const noSystemd = skipped("systemd-analyze", onPath("systemd-analyze"), "apt-get install systemd");
const noShellcheck = skipped("shellcheck", onPath("shellcheck"), "apt-get install shellcheck");
/** On PATH, or out of Debian's package, which is not installed for this. */
const findCloudInit = () =>
  execFileSync(join(BOX, "../../.ci/fetch-cloud-init"), ["--find"], { encoding: "utf8", stdio: "pipe" }).trim();
const noCloudInit = skipped("cloud-init", findCloudInit, ".ci/fetch-cloud-init");

/** @throws Error for a command that cannot be started */
const run = async (command: string, args: readonly string[]): Promise<{ status: number; output: string }> =>
  await new Promise((resolve, reject) => {
    execFile(command, args, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== "number") return reject(error);
      return resolve({ status: Number(error?.code ?? 0), output: stdout + stderr });
    });
  });

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "novadrive-units-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe.skipIf(noSystemd)("the units", () => {
  it("are understood by systemd, each of their lines", async () => {
    await inFolder(async (folder) => {
      const files: string[] = [];
      for (const unit of UNITS) {
        let text = await readFile(unit, "utf8");
        const commands = ["ExecStart", "ExecStartPre", "ExecCondition"]
          .flatMap((key) => unitValues(text, key))
          .map((line) => line.replace(/^\+/, "").split(" ")[0] ?? "");
        for (const command of commands) {
          await mkdir(join(folder, command, ".."), { recursive: true });
          await writeFile(join(folder, command), "");
          await chmod(join(folder, command), 0o755);
          text = text.replaceAll(new RegExp(`=(\\+?)${command}(?= |$)`, "gm"), `=$1${folder}${command}`);
        }
        files.push(join(folder, unit.slice(unit.lastIndexOf("/") + 1)));
        // A path below the test's folder; the document is not looked for.
        await writeFile(files.at(-1) ?? "", text);
      }
      const { status, output } = await run("systemd-analyze", [
        "verify",
        "--man=no",
        "--recursive-errors=no",
        ...files,
      ]);
      expect({ status, output }).toEqual({ status: 0, output: "" });
    });
  });

  it.each(["novadrive.service", "novadrive-report.service", "novadrive-renew.service"])(
    "%s exposes less than 3.0 of 10",
    async (unit) => {
      const { status, output } = await run("systemd-analyze", [
        "security",
        "--offline=true",
        "--threshold=30",
        "--no-pager",
        join(FILES, unit),
      ]);
      expect(output).toContain("Overall exposure level");
      expect({ status, output: status === 0 ? "" : output }).toEqual({ status: 0, output: "" });
    },
  );
});

describe.skipIf(noShellcheck)("the scripts", () => {
  it("have nothing that ShellCheck warns of, the document's text among them", async () => {
    await inFolder(async (folder) => {
      const script = join(folder, "document");
      await writeFile(
        script,
        renderReleaseScript({ region: "sa-east-1", artifactBucket: BUCKET, environment: environmentFor(8080) }),
      );
      const own = (await readdir(FILES)).filter((name) => name.endsWith(".sh")).map((name) => join(FILES, name));
      const all = [...own, join(BOX, "release.sh"), join(BOX, "prepare.sh"), script];
      const checked = await run("shellcheck", [
        "--severity=warning",
        "--external-sources",
        `--source-path=${join(BOX, "../..")}`,
        ...all,
      ]);
      expect(checked).toEqual({ status: 0, output: "" });
    });
  });
});

describe("the user data", () => {
  it("knows the volume, and nothing that a release may change", () => {
    const text = renderUserData(VOLUME);
    const { write_files: files }: { write_files: { path: string; content: string }[] } = parse(text);
    expect(files.find(({ path }) => path === "/etc/novadrive/volume.env")?.content).toBe(
      'VOLUME_ID="vol-0123456789abcdef0"\nXEN_DEVICE="/dev/xvdf"\n',
    );
    expect(text.replaceAll("169.254.169.123", "")).not.toMatch(/releases|[0-9a-f]{40}|\d\.\d+\.\d/);
  });

  it("brings the very script and unit of this project", async () => {
    const { write_files: files }: { write_files: { path: string; content: string }[] } = parse(renderUserData(VOLUME));
    const content = (path: string) => files.find((file) => file.path === path)?.content;
    expect(content("/usr/local/sbin/novadrive-prepare")).toBe(await readFile(join(BOX, "prepare.sh"), "utf8"));
    expect(content("/etc/systemd/system/novadrive-prepare.service")).toBe(
      await readFile(join(BOX, "novadrive-prepare.service"), "utf8"),
    );
  });

  it("is refused for what is no volume or no device", () => {
    expect(() => renderUserData({ ...VOLUME, volumeId: "vol-1\nruncmd: [reboot]" })).toThrow("no id of a volume");
    expect(() => renderUserData({ ...VOLUME, device: "/dev/sda1" })).toThrow("no device name");
  });

  describe.skipIf(noCloudInit)("in the eyes of cloud-init", () => {
    const check = async (text: string) => {
      let checked = { status: -1, output: "" };
      await inFolder(async (folder) => {
        const file = join(folder, "user-data");
        await writeFile(file, text);
        checked = await run(findCloudInit(), ["schema", "--config-file", file]);
      });
      return checked;
    };

    it("is what the schema allows", async () => {
      const { status, output } = await check(renderUserData(VOLUME));
      expect({ status, output }).toMatchObject({ status: 0, output: expect.stringContaining("Valid") });
    });

    it.each([
      ["a key that nobody reads", /^ +content:/m, "    contents:", "'contents' was unexpected"],
      ["a value of another type", /^ntp:\n {2}enabled: true$/m, "ntp:\n  enabled: 3", "ntp.enabled: 3 is not of type"],
      ["no YAML at all", /^ntp:$/m, "ntp: {", "not valid"],
    ])("is refused with %s", async (_, right, wrong, why) => {
      const text = renderUserData(VOLUME);
      expect(text).toMatch(right);
      const { status, output } = await check(text.replace(right, wrong));
      expect({ status, output }).toMatchObject({ status: 1, output: expect.stringContaining(why) });
    });
  });
});

describe("the service", () => {
  it("starts on no other disk than its own, and as soon as that is there", async () => {
    const unit = await readFile(join(FILES, "novadrive.service"), "utf8");
    // In the service's own name space the folder would always be a mount; and one failed try of the preparation is not the last.
    expect(unitValues(unit, "ExecStartPre")[0]).toBe("+/usr/bin/mountpoint /var/lib/novadrive");
    expect(unitValues(unit, "Wants")[0]).toContain("novadrive-prepare.service");
    expect(unitValues(unit, "After")[0]).toContain("novadrive-prepare.service");
    expect(unitValues(unit, "Requires")).toEqual([]);
    expect(unitValues(unit, "StartLimitIntervalSec")).toEqual(["0"]);
    expect(unitValues(unit, "StateDirectory")).toEqual(["novadrive"]);
    expect(unitValues(await readFile(join(BOX, "novadrive-prepare.service"), "utf8"), "Restart")).toEqual([
      "on-failure",
    ]);
  });

  it("may write nowhere but to its state and its cache, and holds no right", async () => {
    const unit = await readFile(join(FILES, "novadrive.service"), "utf8");
    expect(unitValues(unit, "User")).toEqual(["novadrive"]);
    expect(unitValues(unit, "CapabilityBoundingSet")).toEqual([""]);
    expect(unitValues(unit, "ProtectSystem")).toEqual(["strict"]);
    expect(unitValues(unit, "ReadWritePaths")).toEqual([]);
    expect(unitValues(unit, "MemoryMax")).toEqual(["88%"]);
    expect(unitValues(unit, "Restart")).toEqual(["on-failure"]);
  });
});
