import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../../support/command.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "novadrive-usage-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the command line", () => {
  it("explains itself, with every command and setting, and examples", async () => {
    const { status, stdout } = await runCommand(["--help"]);
    expect(status).toBe(0);
    for (const word of [
      "demo",
      "serve",
      "run",
      "build",
      "test",
      "compile",
      "introspect",
      "doctor",
      "--source-url",
      "NOVADRIVE_WAREHOUSE_URL",
      "Examples:",
    ]) {
      expect(stdout).toContain(word);
    }
  });

  it.each(["demo", "serve", "run", "build", "test", "compile", "introspect", "doctor"])(
    "explains %s with examples",
    async (command) => {
      const { status, stdout } = await runCommand([command, "--help"]);
      expect(status).toBe(0);
      expect(stdout).toContain("Examples:");
      expect(stdout).toContain("--state-dir");
    },
  );

  it.each([
    ["an unknown command", ["rnu"], "unknown command 'rnu'"],
    ["an unknown flag", ["run", "--tabel", "x"], "unknown option '--tabel'"],
    ["a number that is none", ["demo", "--sales", "many"], "whole number"],
  ])("exits 2 for %s, and says what is right", async (_, args, message) => {
    const { status, stdout, stderr } = await runCommand(args);
    expect(status).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain("USAGE_INVALID");
    expect(stderr).toContain(message);
    expect(stderr).toContain("--help");
  });

  it("prints errors as one JSON document where --json asks for it", async () => {
    const { status, stdout } = await runCommand(["run", "--json", "--port", "http"], { cwd: folder });
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      status: "failed",
      error: { code: "CONFIG_INVALID", message: expect.stringContaining("--port") },
    });
  });

  it("says which setting is missing", async () => {
    const { status, stderr } = await runCommand(["serve"], { cwd: folder });
    expect(status).toBe(2);
    expect(stderr).toContain("NOVADRIVE_SOURCE_URL");
  });

  it.each(["ls", "show", "docs"])("says that %s comes later, and what to use until then", async (command) => {
    const { status, stderr } = await runCommand([command, "--table", "x"]);
    expect(status).toBe(2);
    expect(stderr).toContain("NOT_AVAILABLE");
    expect(stderr).toContain("Until then");
  });

  it("has no colour codes where NO_COLOR is set", async () => {
    const { stderr } = await runCommand(["rnu"], { environment: { NO_COLOR: "1" } });
    // oxlint-disable-next-line no-control-regex -- escape codes are what must not be there
    expect(stderr).not.toMatch(/\u001b/);
  });
});
