import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { diffManifest } from "../../../runtime/manifest/introspect.ts";
import { writeManifest } from "../../../runtime/manifest/introspect-write.ts";
import { parseManifest } from "../../../runtime/manifest/read.ts";
import { introspectSchema } from "../../../runtime/source/introspect.ts";
import { connectSource } from "../../../runtime/source/postgres.ts";
import { createTestDatabase } from "../../support/postgres.ts";

const RENTAL = readFileSync(join(import.meta.dirname, "../../support/schemas/rental.sql"), "utf8");

test("a manifest written from a live schema loads, agrees with it, and passes the preflight", async () => {
  await using db = await createTestDatabase();
  await db.query(RENTAL);
  const tables = await introspectSchema({ url: db.url });
  const text = writeManifest({ tables, schema: "public" });
  const manifest = parseManifest("manifest.yml", text);
  expect(manifest.tables.map((table) => table.name)).toEqual([
    ..."actor address audit_log category city country customer film film_actor film_category".split(" "),
    ..."inventory language payment price_change price_list rental staff store".split(" "),
  ]);
  expect(diffManifest({ manifest, schema: "public", tables })).toEqual([]);
  await using source = connectSource({ url: db.url });
  expect(await source.preflight(manifest.tables)).toEqual([]);
  expect(writeManifest({ existingText: text, tables, schema: "public" })).toBe(text);
});
