/** A report as the tables that stand in docs/benchmarks.md. */
import { formatCount } from "../../runtime/core/format.ts";
import type { BenchReport, PeerReport } from "./report.ts";
import { evaluateTargets, TARGET_ROWS } from "./targets.ts";

type Row = readonly string[];
type Measured = NonNullable<BenchReport["first_load"]>;

/** Markdown, with columns as wide as their widest cell, so that a terminal shows it well too. */
export function tablesOf(report: BenchReport): string {
  return [about(report), measurements(report), peers(report), targets(report)]
    .filter((part) => part !== "")
    .join("\n\n")
    .concat("\n");
}

function about({ started, command, machine, load_average, rows }: BenchReport): string {
  const { cpus, model, memory_gb, node, postgresql, duckdb } = machine;
  const count = load_average.length;
  const runs = count === 1 ? "one run" : `${count} runs`;
  return [
    `\`${command}\`, ${started.slice(0, 10)}: ${formatCount(rows)} rows, ${runs}.`,
    `${model}, ${cpus} processors, ${memory_gb} GB; PostgreSQL ${postgresql}, DuckDB ${duckdb}, Node ${node}.`,
    `Load average at the beginning of each run: ${load_average.map((load) => load.toFixed(1)).join(", ")}.`,
  ].join("\n");
}

const HEAD: Row = ["", "seconds", "× raw COPY", "× first load", "peak MB"];

function measurements(report: BenchReport): string {
  const { raw_copy, wide, big } = report;
  const rows: (Row | undefined)[] = [
    raw_copy && raw_copy.runs.length > 0
      ? ["raw `COPY` of the sales", seconds(raw_copy.seconds), "1", "", ""]
      : undefined,
    line("first load", report.first_load),
    line("10,000 changed, by indexed cursor, deletes deferred", report.changed_10000_by_cursor),
    line("10,000 changed, 100 of them deleted, by indexed cursor", report.changed_10000_by_cursor_with_deletes),
    line("10,000 changed, 100 of them deleted, by scan", report.changed_10000),
    line("nothing new, level 0", report.unchanged),
    line("nothing new, level 1", report.unchanged_level_1),
    line("verify", report.verify),
    line("staging for Snowflake", report.staging),
    line(wide && `first load, ${formatCount(wide.rows)} rows of ${wide.columns} columns`, wide?.first_load),
    line(big && `first load, ${formatCount(big.rows)} rows`, big?.first_load),
    ...([7, 200] as const).flatMap((count) => {
      const small = count === 7 ? report.tables_7 : report.tables_200;
      return [
        line(small && `first load, ${count} tables of ${formatCount(small.rows_each)} rows`, small?.first_load),
        line(`nothing new, level 0, ${count} tables`, small?.unchanged),
        line(`nothing new, level 1, ${count} tables`, small?.unchanged_level_1),
      ];
    }),
  ];
  const present = rows.filter((row) => row !== undefined);
  return present.length === 0 ? "" : table([HEAD, ...present]);
}

function line(name: string | undefined, measured: Measured | undefined): Row | undefined {
  if (name === undefined || !measured) return undefined;
  const { ratio, of_first_load, peak_memory_mb } = measured;
  return [name, seconds(measured.seconds), factor(ratio), factor(of_first_load), whole(peak_memory_mb)];
}

function peers({ first_load, peers: measured }: BenchReport): string {
  if (!measured) return "";
  const rows = Object.entries(measured).map(([name, peer]) => peerLine(name.replaceAll("_", " "), peer));
  const own: Row[] = first_load
    ? [["this product", seconds(first_load.seconds), factor(first_load.ratio), "1", whole(first_load.peak_memory_mb)]]
    : [];
  return table([["first load", "seconds", "× raw COPY", "× this product", "peak MB"], ...own, ...rows]);
}

function peerLine(name: string, peer: PeerReport): Row {
  if (peer.skipped !== undefined) return [name, `skipped: ${peer.skipped}`, "", "", ""];
  const named = peer.sample === undefined ? name : `${name} (extrapolated from ${formatCount(peer.sample)} rows)`;
  return [named, seconds(peer.seconds), factor(peer.ratio), factor(peer.times_faster), whole(peer.peak_memory_mb)];
}

function targets(report: BenchReport): string {
  const lines = evaluateTargets(report).map(({ name, figure, target, holds }): Row => [
    name,
    figure === null ? "not measured" : String(figure),
    target,
    holds === null ? "" : holds ? "yes" : "**no**",
  ]);
  const size = report.rows === TARGET_ROWS ? "" : `The targets are meant for ${formatCount(TARGET_ROWS)} rows.\n\n`;
  return size + table([["target", "figure", "wanted", "holds"], ...lines]);
}

/** The first row is the head. */
function table(rows: readonly Row[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const text = (row: Row) => `| ${widths.map((width, column) => (row[column] ?? "").padEnd(width)).join(" | ")} |`;
  const [head = [], ...rest] = rows;
  return [text(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rest.map(text)].join("\n");
}

function seconds(value: number | undefined): string {
  return value === undefined ? "" : value < 10 ? value.toFixed(2) : value.toFixed(1);
}

const factor = (value: number | undefined): string =>
  value === undefined ? "" : value < 10 ? value.toFixed(2) : value.toFixed(1);
const whole = (value: number | undefined): string => (value === undefined ? "" : formatCount(Math.round(value)));
