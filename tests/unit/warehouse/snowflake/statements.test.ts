/** The exact text of every statement; the files are read by people, by a second parser, and by the server of the tests. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Statement } from "../../../../runtime/warehouse/snowflake/statement.ts";
import { SAMPLES, type StatementSample } from "./statement-samples.ts";

const FOLDER = join(import.meta.dirname, "statements");
const SQL = join(import.meta.dirname, "../../../../runtime/warehouse/snowflake/sql");

it.each(SAMPLES.map((sample) => [sample.file, sample] as const))("writes %s exactly", async (file, sample) => {
  await expect(snapshot(sample)).toMatchFileSnapshot(join(FOLDER, `${file}.sql`));
});

it("has no snapshot without a sample", () => {
  expect(readdirSync(FOLDER).toSorted()).toEqual(SAMPLES.map(({ file }) => `${file}.sql`).toSorted());
});

it("has a sample of every builder of statements", async () => {
  const samples = readFileSync(join(import.meta.dirname, "statement-samples.ts"), "utf8");
  for (const file of readdirSync(SQL)) {
    const text = readFileSync(join(SQL, file), "utf8");
    for (const [, builder] of text.matchAll(/^export function (\w+)\((?:[^)]|\n)*\): Statement\b/gm)) {
      if (builder === "userStatement") continue;
      expect(samples, `${file}: ${builder}`).toMatch(new RegExp(`\\.${builder}\\b`));
    }
  }
});

function snapshot({ allowedBy, statements }: StatementSample): string {
  const links = Object.entries(allowedBy).map(
    ([clause, page]) => `-- ${clause}: https://docs.snowflake.com/en/${page}`,
  );
  return [...links, ...statements.map((statement) => `\n${text(statement)}`)].join("\n").concat("\n");
}

function text({ sql, metered }: Statement): string {
  return `${metered ? "" : "-- needs no warehouse\n"}${sql};`;
}
