/** `novadrive password`, as it stands in a pipe. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { matchesPassword, parsePasswordHash } from "../../../runtime/config/password-hash.ts";
import { PASSWORD } from "../../support/login.ts";

const ENTRY = join(import.meta.dirname, "../../../runtime/cli/novadrive.js");

const run = (input: string, ...args: readonly string[]) =>
  spawnSync(process.execPath, [ENTRY, "password", ...args], {
    input,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });

describe("novadrive password", () => {
  it("prints the hash alone, which is the password's", async () => {
    const { status, stdout, stderr } = run(`${PASSWORD}\n`, "--stdin");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^\$scrypt\$ln=17,r=8,p=1\$\S+\n$/);
    const hash = parsePasswordHash(stdout.trim());
    if ("problem" in hash) throw new Error(hash.problem);
    expect(await matchesPassword(PASSWORD, hash)).toBe(true);
  });

  it.each([
    ["elevenchars", ["--stdin"], "has 11 characters; it needs 12 or more"],
    ["x".repeat(300), ["--stdin"], "longer than 256"],
    ["", ["--stdin"], "ended before there was a line"],
    [PASSWORD, [], "no terminal"],
  ])("prints no hash for %j %j, and says why without the password", (input, args, why) => {
    const { status, stdout, stderr } = run(input, ...args);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(why);
    if (input !== "") expect(stderr).not.toContain(input);
  });
});
