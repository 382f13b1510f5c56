import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { KEY_FILE, withServer } from "./driver-fixture.ts";
import { refusal } from "./protocol-server.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "novadrive-home-"));
});
afterEach(() => rm(home, { recursive: true }));

it("the driver prints nothing, writes nothing, reads no settings of its own, and lets the process end", async () => {
  // What a developer may have lying about: the driver would turn its own log on, at the level that shows everything.
  const config = JSON.stringify({ common: { log_level: "TRACE", log_path: join(home, "logs") } });
  await writeFile(join(home, "sf_client_config.json"), config, { mode: 0o600 });
  const folder = join(home, "work");
  await mkdir(folder);
  await withServer(async (server) => {
    server.behave(({ sql }) => {
      if (sql === "select wrong") return refusal("000904", "invalid identifier 'WRONG'", "42000");
      return sql.startsWith("put") ? { success: true, data: null } : undefined;
    });
    const url =
      `snowflake://o-a/D?warehouse=W&role=R&user=svc&private_key=${KEY_FILE}` +
      `&host=127.0.0.1&port=${server.port}&protocol=http`;
    const program = join(import.meta.dirname, "quiet-driver.ts");
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, url], {
      cwd: folder,
      env: { PATH: process.env["PATH"], HOME: home, SF_CLIENT_CONFIG_FILE: join(home, "sf_client_config.json") },
      timeout: 30_000,
    });
    expect([stdout, stderr]).toEqual(["", ""]);
    expect(server.asked.map(({ path }) => path)).not.toContain("/telemetry/send");
    expect(server.logouts).toBeGreaterThan(0);
  });
  expect(await readdir(folder)).toEqual([]);
  // The empty folder is for answers of certificate authorities (OCSP), which are no secret and spare later logins a request.
  const left = (await readdir(home, { recursive: true })).toSorted();
  expect(left).toEqual([".cache", ".cache/snowflake", "sf_client_config.json", "work"]);
});
