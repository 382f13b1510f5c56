/** A batch's result as a person reads it at the end. */
import Table from "cli-table3";
import { formatBytes, formatCount, formatCredits, formatSeconds } from "../../core/format.ts";
import {
  foundNothingNew,
  type BatchResult,
  type ModelResult,
  type TableResult,
  type WarehouseUsage,
} from "../../core/result.ts";
import { describeWarning } from "../../core/warning.ts";
import { describeError } from "./error-text.ts";
import { styleFor, type Style } from "./style.ts";

const PLAIN = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};

export type Summarized = Omit<BatchResult, "batch_id" | "snapshot"> & { readonly batch_id?: number | undefined };

/** Tables, models and tests that need a look, one line that says how it went, and one that says what it cost. */
export function summarize(result: Summarized, stream: NodeJS.WriteStream): string {
  const style = styleFor(stream);
  const parts: string[] = [];
  if (result.tables.length > 0) parts.push(tablesTable(result.tables, style));
  if (result.models.length > 0 && !foundNothingNew(result)) parts.push(modelsTable(result.models, style));
  const misfits = result.tables.flatMap((table) => misfitLine(table, style));
  if (misfits.length > 0) parts.push(misfits.join("\n"));
  const warnings = result.warnings ?? [];
  if (warnings.length > 0) parts.push(warnings.map((one) => style.warn(describeWarning(one))).join("\n"));
  const wrong = [...result.tables, ...result.models, ...result.tests].flatMap(({ name, error }) =>
    error ? [describeError(error, style, name)] : [],
  );
  parts.push(...wrong);
  if (result.error && !result.tables.some((table) => table.error)) parts.push(describeError(result.error, style));
  const cost = result.usage ? `\n${style.dim(usageLine(result.usage))}` : "";
  parts.push(verdict(result, style) + cost);
  return `\n${parts.join("\n\n")}\n`;
}

function tablesTable(tables: readonly TableResult[], style: Style): string {
  const table = newTable(
    ["table", "mode", "read", "inserted", "updated", "deleted", "bytes", "time", ""],
    [2, 3, 4, 5, 6, 7],
    style,
  );
  for (const row of tables) {
    const figures = [row.rows_read, row.inserted, row.updated, row.deleted].map(formatCount);
    table.push([
      row.name,
      row.mode,
      ...figures,
      formatBytes(row.bytes),
      formatSeconds(row.seconds),
      mark(row.status, style),
    ]);
  }
  return table.toString();
}

function modelsTable(models: readonly ModelResult[], style: Style): string {
  const table = newTable(["model", "kind", "rows", "time", ""], [2, 3], style);
  for (const model of models) {
    const rows = model.rows === null ? "" : formatCount(model.rows);
    table.push([model.name, model.materialized ?? "", rows, formatSeconds(model.seconds), mark(model.status, style)]);
  }
  return table.toString();
}

/** `vendas: values that did not fit and were loaded as on_misfit says: valor_pago 3, nota 1` */
function misfitLine({ name, misfits }: TableResult, style: Style): string[] {
  if (!misfits) return [];
  const counts = Object.entries(misfits).map(([column, count]) => `${column} ${formatCount(count)}`);
  return [style.warn(`${name}: values that did not fit and were loaded as on_misfit says: ${counts.join(", ")}`)];
}

function newTable(head: string[], right: readonly number[], style: Style) {
  const colAligns = head.map((_, index) => (right.includes(index) ? ("right" as const) : ("left" as const)));
  return new Table({
    head: head.map((title) => style.dim(title)),
    colAligns,
    chars: PLAIN,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
}

function mark(status: string, style: Style): string {
  if (status === "success") return style.good("ok");
  return status === "failed" ? style.bad("failed") : style.dim(status);
}

/** `41 statements · 12.4 s of warehouse time · 3.1 MB staged · about 0.02 credits` */
export function usageLine({ statements, warehouse_seconds, bytes_staged, credits }: WarehouseUsage): string {
  if (statements === 0) return "no statement was sent to the warehouse";
  const parts = [
    `${formatCount(statements)} ${statements === 1 ? "statement" : "statements"}`,
    `${formatSeconds(warehouse_seconds)} of warehouse time`,
    `${formatBytes(bytes_staged)} staged`,
  ];
  if (credits !== null) parts.push(`about ${formatCredits(credits)} credits`);
  return parts.join(" · ");
}

function verdict(result: Summarized, style: Style): string {
  const count = (what: string, all: readonly { readonly status: string }[], good: string) =>
    all.length === 0 ? [] : [`${all.filter((one) => one.status === good).length} of ${all.length} ${what}`];
  const word = { success: style.good("success"), failed: style.bad("failed"), cancelled: style.warn("cancelled") }[
    result.status
  ];
  const counted = foundNothingNew(result)
    ? ["nothing new"]
    : [
        ...count("tables loaded", result.tables, "success"),
        ...count("models built", result.models, "success"),
        ...count("tests passed", result.tests, "pass"),
      ];
  const subject = result.batch_id === undefined ? "" : `Batch ${result.batch_id}: `;
  return (
    style.strong(`${subject}${word} in ${formatSeconds(result.seconds)}`) +
    (counted.length > 0 ? ` · ${counted.join(" · ")}` : "")
  );
}
