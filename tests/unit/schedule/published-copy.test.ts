import { mkdtempDisposableSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { loadConfig } from "../../../runtime/config/config.ts";
import type { Config } from "../../../runtime/config/options.ts";
import {
  forgetPublished,
  readPublished,
  writePublished,
  type PublishedState,
} from "../../../runtime/schedule/published-copy.ts";

const WAREHOUSE =
  "snowflake://acme-analytics/NOVADRIVE?warehouse=W&role=R&private_key=/etc/key.pem&host=localhost&port=1";

const STATE: PublishedState = {
  lastBatchId: 6,
  watermarks: new Map([
    [
      "vendas",
      { batchId: 6, cursor: "2026-01-01 00:00:00.000001+00", cursorColumn: "at", fence: { digest: "1 rows 2" } },
    ],
    ["__proto__", { batchId: 5, cursor: null, cursorColumn: null, fence: {} }],
  ]),
  seen: new Map([["vendas", "740:740:"]]),
  project: "p",
};

function folder() {
  const made = mkdtempDisposableSync(join(tmpdir(), "novadrive-copy-"));
  const config = (warehouseUrl = WAREHOUSE): Config =>
    loadConfig({ flags: { warehouseUrl, stateDir: made.path }, environment: {} });
  return { path: made.path, file: join(made.path, "published.json"), config, [Symbol.dispose]: () => made.remove() };
}

test("is read as it was written, and no other file is left", () => {
  using place = folder();
  expect(readPublished(place.config())).toBeUndefined();
  writePublished(place.config(), STATE);
  expect(readPublished(place.config())).toEqual(STATE);
  writePublished(place.config(), { ...STATE, lastBatchId: 7, project: null });
  expect(readPublished(place.config())).toMatchObject({ lastBatchId: 7, project: null });
  expect(readdirSync(place.path)).toEqual(["published.json"]);
});

test("is nothing once it is forgotten", () => {
  using place = folder();
  forgetPublished(place.config());
  expect(readdirSync(place.path)).toEqual([]);
  writePublished(place.config(), STATE);
  forgetPublished(place.config());
  expect(readPublished(place.config())).toBeUndefined();
});

test.each<[what: string, url: string, counts: boolean]>([
  ["another database", WAREHOUSE.replace("NOVADRIVE", "OTHER"), false],
  ["another account", WAREHOUSE.replace("acme", "other"), false],
  ["another host", WAREHOUSE.replace("localhost", "127.0.0.1"), false],
  ["another role", WAREHOUSE.replace("role=R", "role=S"), false],
  ["a DuckDB file", "duckdb:./warehouse.duckdb", false],
  ["another key", WAREHOUSE.replace("key.pem", "new.pem"), true],
  ["a passphrase", `${WAREHOUSE}&private_key_passphrase=hush`, true],
  ["a user before the host", WAREHOUSE.replace("//", "//someone:hush@"), true],
  ["the parameters in another order", WAREHOUSE.replace("warehouse=W&role=R", "role=R&warehouse=W"), true],
])("is of one warehouse, which the URL tells whatever it says of the login (%s)", (_, url, counts) => {
  using place = folder();
  writePublished(place.config(), STATE);
  expect(readPublished(place.config(url)) !== undefined).toBe(counts);
});

test("holds nothing of the URL", () => {
  using place = folder();
  writePublished(place.config(WAREHOUSE.replace("//", "//someone:hush@")), STATE);
  expect(readFileSync(place.file, "utf8")).not.toMatch(/acme|hush|someone|key\.pem|localhost/);
});

test("is either whole or ignored, wherever it was cut or spoiled", () => {
  using place = folder();
  writePublished(place.config(), STATE);
  const whole = readFileSync(place.file, "utf8");
  fc.assert(
    fc.property(fc.nat(whole.length - 1), (length) => {
      writeFileSync(place.file, whole.slice(0, length));
      expect(readPublished(place.config())).toBeUndefined();
    }),
  );
  for (const text of [
    "null",
    "{}",
    "[]",
    whole.replace('"version":1', '"version":2'),
    whole.replace('"batchId":6', '"batchId":"6"'),
  ]) {
    writeFileSync(place.file, text);
    expect(readPublished(place.config()), text).toBeUndefined();
  }
});
