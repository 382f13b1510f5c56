/** What batches cost, where the warehouse is billed by use: always an estimate, and said to be one. */
import { formatBytes, formatCount, formatCredits } from "../../core/format.ts";
import type { WarehouseUsage } from "../../core/result.ts";
import type { BatchSummary } from "../../store/records.ts";
import { duration } from "../assets/format.js";
import { plural } from "../format.ts";
import { html, type Content, type Html } from "../html.ts";
import { barChart, type ChartLine } from "./bar-chart.ts";
import { fact, none } from "./parts.ts";

const RULE =
  "Estimated: the credits an hour of the warehouse's size × the time that it was up for the batch, its wait before it suspends itself " +
  "included, at least 60 s for each time that it resumes. Less is billed if others use it at the same time.";

/** The four figures of one batch; nothing where nothing is billed. */
export function usageFacts(usage: WarehouseUsage | undefined): Content {
  if (!usage) return null;
  const { statements, warehouse_seconds, bytes_staged, rows_staged, credits } = usage;
  return html`<dl class="facts usage" aria-label="What the batch used of the warehouse">
    ${fact({
      name: "Statements",
      value: formatCount(statements),
      note: statements === 0 ? "the warehouse was not asked anything" : "sent to the warehouse",
    })}
    ${fact({
      name: "Warehouse time",
      value: warehouse_seconds === 0 ? "0 s" : duration(warehouse_seconds),
      note: "while a statement ran",
    })}
    ${fact({ name: "Staged", value: formatBytes(bytes_staged), note: `${plural(rows_staged, "row")}, compressed` })}
    ${fact({
      name: "Credits",
      value: credits === null ? none("not known") : html`<span title="${RULE}">${about(credits)}</span>`,
      note:
        credits === null
          ? "the warehouse's size is not known"
          : html`<span title="${RULE}">estimated: size × time up, at least 60 s</span>`,
    })}
  </dl>`;
}

/** Of those batches whose cost is known; undefined if there are none. */
export function creditsOf(batches: readonly BatchSummary[]): number | undefined {
  const known = batches.flatMap(({ usage }) => (typeof usage?.credits === "number" ? [usage.credits] : []));
  return known.length === 0 ? undefined : known.reduce((sum, credits) => sum + credits, 0);
}

/** `≈ 0.017` */
export function about(credits: number): string {
  return credits === 0 ? "0" : `≈ ${formatCredits(credits)}`;
}

/** Credits of a batch in a list. */
export function creditsCell({ usage }: BatchSummary): Content {
  return typeof usage?.credits === "number" ? about(usage.credits) : none("not known");
}

/** @param batches newest first; nothing is drawn where nothing is billed */
export function creditsChart(batches: readonly BatchSummary[]): Content {
  const sum = creditsOf(batches);
  if (sum === undefined) return null;
  const head = Math.max(0.001, ...batches.map(({ usage }) => usage?.credits ?? 0));
  return barChart({
    id: "credits",
    barId: "credits",
    title: "Credits",
    hint: html`${about(sum)} in the last ${plural(batches.length, "batch")}`,
    batches,
    lines: creditLines(head),
    bar: (batch) => ({ look: "spent", height: heightOf(batch.usage?.credits, head), tip: tip(batch) }),
    footnote: RULE,
  });
}

/** Linear, since twice as high is twice as dear; the smallest amount can still be seen. */
function heightOf(credits: number | null | undefined, head: number): number {
  return credits ? Math.max(4, (credits / head) * 100) : 0;
}

function creditLines(head: number): readonly ChartLine[] {
  const power = 10 ** Math.floor(Math.log10(head));
  const top = [5, 2, 1].map((step) => step * power).find((value) => value <= head * 1.001) ?? power;
  return [top, top / 2].map((value) => ({ label: formatCredits(value), height: Math.min(100, (value / head) * 100) }));
}

function tip({ batch_id, usage }: BatchSummary): Html {
  if (!usage) return html`<b>Batch ${batch_id}</b><span>nothing is known of its cost</span>`;
  const { statements, warehouse_seconds, bytes_staged, credits } = usage;
  return html`<b>Batch ${batch_id}: ${credits === null ? "not known" : `${about(credits)} credits`}</b>
    <span
      >${
        statements === 0
          ? "the warehouse was not asked anything"
          : `${plural(statements, "statement")} · ${duration(warehouse_seconds)} · ${formatBytes(bytes_staged)} staged`
      }</span
    >`;
}
