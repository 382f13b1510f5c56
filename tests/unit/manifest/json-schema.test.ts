import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { manifestJsonSchema } from "../../support/manifest-json-schema.ts";

it("docs/manifest.schema.json is the validator's schema (npm run docs writes it)", () => {
  const file = join(import.meta.dirname, "../../../docs/manifest.schema.json");
  expect(readFileSync(file, "utf8")).toBe(manifestJsonSchema());
});
