/** The bench's command line. */
import { parseArgs } from "node:util";
import { CASE_NAMES, CASES, isCase, USUAL_CASES, type CaseName } from "./case-names.ts";

export interface BenchOptions {
  readonly cases: ReadonlySet<CaseName>;
  readonly rows: number;
  readonly changed: number;
  readonly tables: number;
  readonly runs: number;
  readonly url?: string | undefined;
  readonly snowflake: boolean;
  readonly peers: boolean;
  readonly json: boolean;
  readonly markdown: boolean;
  /** A report to print instead of measuring. */
  readonly from?: string | undefined;
}

const FLAGS = {
  cases: { type: "string", default: USUAL_CASES.join(",") },
  rows: { type: "string", default: "5000000" },
  changed: { type: "string", default: "10000" },
  tables: { type: "string", default: "200" },
  runs: { type: "string", default: "3" },
  url: { type: "string" },
  snowflake: { type: "boolean", default: false },
  peers: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  markdown: { type: "boolean", default: false },
  from: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

const WIDTH = Math.max(...CASE_NAMES.map((name) => name.length));

export const HELP = `Usage: npm run bench -- [options]

  --cases <a,b>   what is measured (default: all but big; \`all\` for all, \`none\` with --peers or --snowflake)
  --rows <n>      rows of the sales (default 5000000)
  --changed <n>   rows changed before a batch (default 10000)
  --tables <n>    small tables of the case \`tables\` (default 200)
  --runs <n>      runs of each measurement; medians are reported (default 3)
  --url <url>     PostgreSQL to use, as a superuser (default: one of its own)
  --snowflake     the cases on the sales into the stand-in for Snowflake too; its own time is in the seconds (COPY and MERGE are
                  DuckDB's there), so these say nothing of Snowflake; statements and bytes_staged do
  --peers         the same first load by dlt (connectorx and pyarrow backends) and row by row, in the same runs; needs python3
  --json          one JSON document on standard output; the tables go to standard error
  --markdown      the tables alone, as they stand in docs/benchmarks.md
  --from <file>   measures nothing: prints what --json has written before

Cases:
${CASE_NAMES.map((name) => `  ${name.padEnd(WIDTH)}  ${CASES[name]}`).join("\n")}

Each measurement is a process of its own. Seconds are those of the batch, with opening and closing the warehouse;
process_seconds are the whole process's, Node's start included. Most is held against one COPY … TO STDOUT of the same table,
read and thrown away, which is measured before: \`ratio\` is the median of each run's own, \`of_first_load\` the same against
the first load. A target that is missed is reported, and does not fail the run; a batch that does not do what it has to does.
`;

/** @returns undefined if help is asked for @throws Error for what is not among the options */
export function parseOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({ args: [...args], options: FLAGS });
  if (values.help) return undefined;
  return {
    ...values,
    cases: parseCases(values.cases),
    rows: wholeNumber("rows", values.rows),
    changed: wholeNumber("changed", values.changed),
    tables: wholeNumber("tables", values.tables),
    runs: wholeNumber("runs", values.runs),
  };
}

function parseCases(text: string): ReadonlySet<CaseName> {
  if (text === "all") return new Set(CASE_NAMES);
  if (text === "none") return new Set();
  const names = text.split(",").map((name) => name.trim());
  const known = names.filter((name) => isCase(name));
  const unknown = names.filter((name) => !isCase(name));
  if (unknown.length > 0) throw new Error(`--cases: no ${unknown.join(", ")}; there are ${CASE_NAMES.join(", ")}`);
  return new Set(known);
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new Error(`--${name}: ${text} is not a whole number above 0`);
  return number;
}
