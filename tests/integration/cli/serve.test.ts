import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCommand, startCommand } from "../../support/command.ts";
import { createDealership } from "../../support/dealership.ts";

const PAGE = /status page at (http:\/\/\S+?)["\s]/;

describe("novadrive serve", () => {
  it("runs batches on the schedule, shows them, and ends cleanly on SIGTERM", async () => {
    await using dealership = await createDealership({ sales: 300 });
    const args = ["serve", "--port", "0", "--schedule", "* * * * * *"];
    await using command = startCommand(args, { environment: dealership.environment });
    const [, address = ""] = await command.output(PAGE);
    await command.output(/batch 1: success/);
    const health = await fetch(new URL("/healthz", address));
    expect(health.status).toBe(200);
    expect(await (await fetch(address)).text()).toContain("vendas");
    command.process.kill("SIGTERM");
    expect((await command.ended).status).toBe(0);
    expect(await dealership.differences()).toEqual({});
  });

  it("says which port is in use, and how to choose another", async () => {
    await using dealership = await createDealership({ sales: 10 });
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address ? String(address.port) : "";
    const { status, stderr } = await runCommand(["serve", "--port", port], { environment: dealership.environment });
    other.close();
    expect(status).toBe(2);
    expect(stderr).toContain("PORT_IN_USE");
    expect(stderr).toContain(port);
    expect(stderr).toContain("--port");
  });
});

/** Processes whose command line has the text in it. */
function processesWith(text: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")];
      } catch {
        return [];
      }
    })
    .filter((line) => line.includes(text));
}

describe("novadrive demo", () => {
  it("goes on where it was, and leaves no process behind on Ctrl-C", async () => {
    const folder = await mkdtemp(join(tmpdir(), "novadrive-demo-"));
    try {
      const once = await runCommand(["demo", "--once", "--sales", "500", "--dir", folder, "--json"]);
      expect(once.status, once.stderr).toBe(0);
      expect(JSON.parse(once.stdout)).toMatchObject({ batch_id: 1, status: "success" });
      await using command = startCommand(["demo", "--sales", "900", "--dir", folder, "--port", "0"]);
      await command.output(PAGE);
      await command.output(/batch 2: success/);
      command.process.kill("SIGINT");
      const { status, stderr } = await command.ended;
      expect(status).toBe(0);
      expect(stderr).toMatch(/going on with 500 sales/);
      expect(processesWith(folder)).toEqual([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
