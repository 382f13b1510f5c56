import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { errorReference } from "../../support/error-reference.ts";

it("docs/errors.md is the table of errors (npm run docs writes it)", () => {
  expect(readFileSync(join(import.meta.dirname, "../../../docs/errors.md"), "utf8")).toBe(errorReference());
});
