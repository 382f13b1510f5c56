/** Writes docs/errors.md from the table of errors, and the manifest's JSON Schema from its validator; tests say when that was forgotten. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { manifestJsonSchema } from "./manifest-json-schema.ts";
import { ERROR_CODES, type ErrorCode } from "../../runtime/core/error-codes.ts";

export function errorReference(): string {
  const rows = Object.entries<ErrorCode>(ERROR_CODES).map(
    ([name, code]) =>
      `| \`${name}\` | ${code.summary} | ${code.remedy} | ${code.exit} | ${code.transient ? "yes" : "no"} |`,
  );
  return [
    "# Errors",
    "",
    "Every error has a code, a message that names the thing, and a remedy that is more specific than the one here where it can be.",
    "Exit status 1: something in the batch failed. 2: wrong usage or configuration. What may pass by itself is tried again (`--retries`).",
    "",
    "| code | what happened | what to do | exit | tried again |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

if (process.argv[1] === import.meta.filename) {
  const docs = join(import.meta.dirname, "../../docs");
  writeFileSync(join(docs, "errors.md"), errorReference());
  writeFileSync(join(docs, "manifest.schema.json"), manifestJsonSchema());
}
