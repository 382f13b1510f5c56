/** The chart of the last batches: one bar each, its height the duration, its colour the status. */
import { duration } from "../assets/format.js";
import type { BatchSummary } from "../../store/records.ts";
import { plural } from "../format.ts";
import { html, type Html } from "../html.ts";
import { barChart } from "./bar-chart.ts";
import type { Frame } from "./layout.ts";
import { look, sign } from "./parts.ts";

/** Durations at which a line may be drawn, in seconds. */
const STEPS = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400,
];

export interface StripOptions {
  /** Newest first. */
  readonly batches: readonly BatchSummary[];
  /** The batch whose page this is. */
  readonly current?: number | undefined;
  readonly frame: Frame;
}

export function strip({ batches, current, frame }: StripOptions): Html {
  const scale = scaleOf(batches.map((batch) => secondsOf(batch, frame)));
  return barChart({
    id: "strip",
    barId: "bar",
    title: "Last batches",
    hint: "height is the duration, on a logarithmic scale",
    batches,
    lines: lines(scale).map((step) => ({ label: stepLabel(step), height: height(step, scale) })),
    bar: (batch) => ({
      look: look(batch.status),
      height: Math.max(4, height(secondsOf(batch, frame), scale)),
      isCurrent: batch.batch_id === current,
      tip: tip(batch, frame),
    }),
  });
}

function tip(batch: BatchSummary, frame: Frame): Html {
  const { batch_id, error, inserted, updated, deleted, status, trigger } = batch;
  return html`<b>${sign(status)} Batch ${batch_id}, ${status}</b>
    <span>${frame.times.full(batch.started_at)}</span>
    <span
      >${status === "running" ? "so far " : ""}${duration(secondsOf(batch, frame))} · ${trigger} ·
      ${plural(inserted + updated + deleted, "row")} changed</span
    >
    ${error && html`<span><code>${error.code}</code></span>`}`;
}

function secondsOf({ seconds, status, started_at }: BatchSummary, { now }: Frame): number {
  if (status === "running") return Math.max(0, (now.getTime() - Date.parse(started_at)) / 1000);
  return seconds ?? 0;
}

/** Durations of the chart's foot and head, in seconds. */
interface Scale {
  readonly foot: number;
  readonly head: number;
}

/** Logarithmic, so that one long first load does not flatten all others; the shortest bar still has about a quarter of the height. */
function scaleOf(durations: readonly number[]): Scale {
  const counted = durations.filter((seconds) => seconds > 0);
  const head = Math.max(0.1, ...counted);
  return { foot: Math.min(Math.max(0.02, Math.min(...counted)) / 3, head / 10), head };
}

/** Per cent of the chart. */
function height(seconds: number, { foot, head }: Scale): number {
  if (seconds <= foot) return 0;
  return (Math.log(Math.min(seconds, head) / foot) / Math.log(head / foot)) * 100;
}

/** Lines at round durations, at most one in each quarter of the chart. */
function lines(scale: Scale): number[] {
  const chosen: number[] = [];
  for (const step of STEPS.filter((candidate) => candidate <= scale.head).toReversed()) {
    const above = chosen.at(-1);
    const low = height(step, scale) < 12;
    if (!low && (above === undefined || height(above, scale) - height(step, scale) >= 25)) chosen.push(step);
  }
  return chosen;
}

function stepLabel(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3_600 ? `${seconds / 60} min` : `${seconds / 3_600} h`;
}
