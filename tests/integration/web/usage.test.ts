/** What batches cost, on the page and in its JSON. */
import { expect, test } from "vitest";
import { generator, sampleBatch, type SampleOutcome } from "../../support/sample-history.ts";
import { openStatusPage, type StatusPage } from "../../support/status-page.ts";

const HTML = { accept: "text/html" };

function fill({ events }: StatusPage, outcomes: readonly SampleOutcome[], metered: boolean): void {
  for (const [index, outcome] of outcomes.entries()) {
    const startedAt = new Date(Date.UTC(2026, 10, 22, 12, index));
    const batch = { batchId: index + 1, startedAt, outcome, trigger: "schedule" } as const;
    for (const event of sampleBatch({ ...batch, random: generator(1), first: index === 0, metered }))
      events.emit(event);
  }
}

const read = async (page: StatusPage, url: string) =>
  (await page.server.inject({ url, headers: HTML })).body.replaceAll(/\s+/g, " ");

test("where nothing is billed, no page says a word about it", async () => {
  await using page = await openStatusPage();
  fill(page, ["success", "success"], false);
  for (const url of ["/", "/batches/2"]) expect(await read(page, url)).not.toMatch(/credit|statements/i);
});

test("the overview draws the credits of each batch, gives their sum, and says that and how it is estimated", async () => {
  await using page = await openStatusPage();
  fill(page, ["success", "nothing new", "success"], true);
  const body = await read(page, "/");
  expect(body).toContain('id="credits-3"');
  expect(body).toMatch(/Estimated: the credits an hour of the warehouse(&#39;|')s size × the time/);
  const listed = page.store.batches({ limit: 3 }).map(({ usage }) => usage?.credits ?? Number.NaN);
  const sum = listed.reduce((total, credits) => total + credits, 0);
  expect(sum).toBeGreaterThan(0.03);
  expect(body).toContain(`≈ ${Number(sum.toPrecision(2))} credits for these 3 batches, estimated`);
  expect(body).toContain(`≈ ${Number(sum.toPrecision(2))} in the last 3 batches`);
  expect(listed[1]).toBe(0);
});

test("a batch's page shows its four figures", async () => {
  await using page = await openStatusPage();
  fill(page, ["success", "success"], true);
  const body = await read(page, "/batches/2");
  for (const name of ["Statements", "Warehouse time", "Staged", "Credits"]) expect(body).toContain(`<dt>${name}</dt>`);
  expect(body).toContain("<dd>78</dd>");
  expect(body).toContain("≈ 0.018");
});

test("a batch that found nothing new says that the warehouse was left alone, and models and tests as they were", async () => {
  await using page = await openStatusPage();
  fill(page, ["success", "nothing new"], true);
  const body = await read(page, "/batches/2");
  expect(body).toContain("the warehouse was not asked anything");
  expect(body).toContain("Nothing was new, so the 18 models stay as they are.");
  expect(body).toContain("Nothing was new, so the 37 tests were not run again.");
  const overview = await read(page, "/");
  expect(overview).toContain("37 passing tests");
  expect(overview).not.toContain("skipped");
});

test("a size that is not known leaves the credits open", async () => {
  await using page = await openStatusPage();
  const at = new Date();
  page.events.emit({ type: "batch_started", batchId: 1, at, trigger: "command" });
  const usage = { statements: 5, warehouse_seconds: 1, bytes_staged: 10, rows_staged: 1, credits: null };
  const result = {
    batch_id: 1,
    status: "success",
    snapshot: null,
    seconds: 1,
    tables: [],
    models: [],
    tests: [],
  } as const;
  page.events.emit({ type: "batch_finished", batchId: 1, at, result: { ...result, usage } });
  expect(await read(page, "/batches/1")).toContain("size is not known");
  expect(await read(page, "/")).not.toContain('id="credits-1"');
});

test("the JSON has what the batch used, in the words of the contract", async () => {
  await using page = await openStatusPage();
  fill(page, ["success"], true);
  fill(page, [], false);
  const { batches } = (await page.server.inject({ url: "/api/batches" })).json<{ batches: { usage: object }[] }>();
  expect(Object.keys(batches[0]?.usage ?? {}).toSorted()).toEqual([
    "bytes_staged",
    "credits",
    "rows_staged",
    "statements",
    "warehouse_seconds",
  ]);
});
