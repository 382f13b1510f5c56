/** The page says of each table when it was last proven. */
import { expect, it } from "vitest";
import { sampleHistory, sampleVerification } from "../../support/sample-history.ts";
import { openStatusPage } from "../../support/status-page.ts";

it("shows when each table was last proven, and which differs", async () => {
  await using page = await openStatusPage();
  const now = Date.now();
  for (const event of sampleHistory({ batches: 3, until: new Date(now - 4_000), running: false }))
    page.events.emit(event);
  const before = await page.server.inject("/");
  expect(before.body).not.toContain("proven");
  page.store.recordVerification(sampleVerification(new Date(now - 3_600_000)));
  const { body } = await page.server.inject("/");
  expect(body.match(/proven <time/g)).toHaveLength(6);
  expect(body).toContain('title="from the source in endereco"');
  expect(body).toContain(" differed <time");
  expect(body).not.toContain("deferred");
  const [one] = sampleVerification(new Date(now)).tables.filter(({ equal }) => !equal);
  if (!one) throw new RangeError("All are equal");
  const deferring = { at: new Date(now), snapshot: "", tables: [{ ...one, deletes_deferred: 1200 }] };
  page.store.recordVerification(deferring);
  expect((await page.server.inject("/")).body).toMatch(/differed <time[^>]*>[^<]*<\/time>, 1,200 deletes deferred/);
  const status: { readonly verifications: readonly unknown[] } = (await page.server.inject("/api/status")).json();
  expect(status.verifications).toContainEqual(
    expect.objectContaining({ name: "clientes", equal: false, deletes_deferred: 1200, proven_at: null }),
  );
});
