/** Writes docs/errors.md from the table of errors; the test beside it says when that was forgotten. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
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
  writeFileSync(join(import.meta.dirname, "../../docs/errors.md"), errorReference());
}
