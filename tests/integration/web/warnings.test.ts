/** What the last batch warned of stands on the overview and on its own page, until a batch has nothing to warn of. */
import { expect, it } from "vitest";
import type { Warning } from "../../../runtime/core/warning.ts";
import { sampleHistory } from "../../support/sample-history.ts";
import { openStatusPage } from "../../support/status-page.ts";

const WARNING: Warning = {
  kind: "column_new",
  table: "vendas",
  columns: ["canal"],
  message: 'public.vendas has a column "canal" that the manifest lacks: not loaded.',
  remedy: "`novadrive introspect --write` adds it to the manifest.",
};

it("shows what the last batch warned of, with what ends it", async () => {
  await using page = await openStatusPage();
  const events = [...sampleHistory({ batches: 3, until: new Date(Date.now() - 4_000), running: false })];
  const finished = events.flatMap((event) => (event.type === "batch_finished" ? [event.batchId] : []));
  const [first, last] = [finished.at(0), finished.at(-1)];
  for (const event of events) {
    const warned = event.type === "batch_finished" && event.batchId === first;
    page.events.emit(warned ? { ...event, result: { ...event.result, warnings: [WARNING] } } : event);
    if (!warned) continue;
    const { body } = await page.server.inject("/");
    expect(body).toContain("1 warning");
    expect(body).toContain("<code>novadrive introspect --write</code>");
  }
  expect((await page.server.inject(`/batches/${first}`)).body).toContain("1 warning");
  expect((await page.server.inject(`/batches/${last}`)).body).not.toContain("1 warning");
  expect((await page.server.inject("/")).body).not.toContain("1 warning");
  expect((await page.server.inject(`/api/batches/${first}`)).json()).toMatchObject({ warnings: [WARNING] });
  expect((await page.server.inject(`/api/batches/${last}`)).json()).not.toHaveProperty("warnings");
});
