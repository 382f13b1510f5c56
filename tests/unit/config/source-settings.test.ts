import { expect, it } from "vitest";
import { loadConfig } from "../../../runtime/config/config.ts";
import { readersOf, sourceSettings } from "../../../runtime/config/source-settings.ts";

const sourceUrl = "postgres://u@localhost/d";

it("there is a reader for each processor, at most 4, unless told", () => {
  const readers = readersOf(loadConfig({ environment: {} }));
  expect(readers).toBeGreaterThanOrEqual(1);
  expect(readers).toBeLessThanOrEqual(4);
  expect(readersOf(loadConfig({ environment: { NOVADRIVE_READERS: "9" } }))).toBe(9);
});

it("nothing is bounded unless told", () => {
  const free = sourceSettings(loadConfig({ flags: { sourceUrl }, environment: {} }));
  expect(free).toMatchObject({ url: sourceUrl, rowsPerSecond: 0, snapshotLimit: 0 });
  const environment = { NOVADRIVE_ROWS_PER_SECOND: "5000", NOVADRIVE_SNAPSHOT_LIMIT: "600" };
  expect(sourceSettings(loadConfig({ flags: { sourceUrl }, environment }))).toMatchObject({
    rowsPerSecond: 5000,
    snapshotLimit: 600,
  });
});
