import { describe, expect, it } from "vitest";
import { runCommand, startCommand } from "../../support/command.ts";
import { createDealership } from "../../support/dealership.ts";

describe("novadrive run", () => {
  it("prints exactly one JSON document, in the words that other programs rely on", async () => {
    await using dealership = await createDealership({ sales: 300 });
    const { status, stdout, stderr } = await runCommand(["run", "--json"], { environment: dealership.environment });
    expect(stderr).toContain("batch 1 started");
    expect(status).toBe(0);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({
      batch_id: 1,
      status: "success",
      snapshot: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      seconds: expect.any(Number),
    });
    expect(result.tables.find((table: { name: string }) => table.name === "vendas")).toMatchObject({
      mode: "incremental",
      rows_read: 300,
      inserted: 300,
      updated: 0,
      deleted: 0,
      bytes: expect.any(Number),
      seconds: expect.any(Number),
      status: "success",
    });
    expect(result.models.find((model: { name: string }) => model.name === "fct_vendas")).toMatchObject({
      status: "success",
      rows: 300,
      seconds: expect.any(Number),
    });
    expect(
      result.tests.find((test: { name: string }) => test.name === "source_unique_stage_vendas_id_vendas"),
    ).toMatchObject({ status: "pass", failures: 0 });
  });

  it("prints a summary for a person otherwise", async () => {
    await using dealership = await createDealership({ sales: 300 });
    const { status, stdout } = await runCommand(["run"], { environment: dealership.environment });
    expect(status).toBe(0);
    expect(stdout).toMatch(/vendas\s+incremental\s+300\s+300\s+0\s+0/);
    expect(stdout).toMatch(
      /Batch 1: success in .* 7 of 7 tables loaded · 18 of 18 models built · \d+ of \d+ tests passed/,
    );
  });

  it.each([
    ["while the tables are read", /estados\/extract: done/],
    ["between load and publication", /vendas\/load: done/],
    ["after the publication", /publish: done/],
    ["while models are built", /dim_veiculos\/model: done/],
  ])("is made good by the next run when it was killed %s", async (_, moment) => {
    await using dealership = await createDealership({ sales: 3_000 });
    {
      await using command = startCommand(["run"], { environment: dealership.environment });
      await command.output(moment);
      command.process.kill("SIGKILL");
      expect((await command.ended).signal).toBe("SIGKILL");
    }
    await dealership.database.query("DELETE FROM vendas WHERE id_vendas = (SELECT min(id_vendas) FROM vendas)");
    const result = await dealership.run();
    expect(result).toMatchObject({ status: "success", batch_id: 2 });
    expect(await dealership.differences()).toEqual({});
    expect(await dealership.ask("SELECT COUNT(*), COUNT(DISTINCT id_vendas) FROM stage.vendas")).toEqual([
      ["2999", "2999"],
    ]);
    expect(await dealership.ask("SELECT COUNT(*) FROM analytics.fct_vendas")).toEqual([["2999"]]);
  });

  it("rolls back and says so when it is told to stop", async () => {
    await using dealership = await createDealership({ sales: 20_000 });
    await using command = startCommand(["run", "--json"], { environment: dealership.environment });
    await command.output(/batch 1 started/);
    command.process.kill("SIGTERM");
    const { status, stdout } = await command.ended;
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ status: "cancelled", error: { code: "BATCH_CANCELLED" } });
    expect(await dealership.run()).toMatchObject({ status: "success" });
    expect(await dealership.differences()).toEqual({});
  });

  it("refuses a second batch at the same time, naming the process, and leaves the first alone", async () => {
    await using dealership = await createDealership({ sales: 20_000 });
    await using first = startCommand(["run"], { environment: dealership.environment });
    await first.output(/batch 1 started/);
    const second = await runCommand(["run"], { environment: dealership.environment });
    expect(second.status).toBe(1);
    expect(second.stderr).toContain("BATCH_RUNNING");
    expect(second.stderr).toContain(`process ${first.process.pid}`);
    expect((await first.ended).status).toBe(0);
    expect(await dealership.differences()).toEqual({});
  });
});
