/** The chart of the last batches: one bar each, its height the duration, its colour the status. */
import { duration } from "../assets/format.js";
import type { BatchSummary } from "../../store/records.ts";
import { plural } from "../format.ts";
import { html, type Html } from "../html.ts";
import type { Frame } from "./layout.ts";
import { look, sign } from "./parts.ts";

const SLOTS = 60;

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
  const shown = batches.slice(0, SLOTS).toReversed();
  const scale = scaleOf(shown.map((batch) => secondsOf(batch, frame)));
  const empty = Array.from({ length: SLOTS - shown.length }, () => html`<li class="slot" aria-hidden="true"></li>`);
  return html`<section class="panel strip" aria-labelledby="strip-title">
    <h2 id="strip-title">Last batches <span class="hint">height is the duration, on a logarithmic scale</span></h2>
    <div class="strip-chart">
      <svg class="strip-lines" aria-hidden="true">
        ${lines(scale).map((step) => {
          const y = `${round(100 - height(step, scale))}%`;
          return html`<line x1="44" x2="100%" y1="${y}" y2="${y}" /><text x="0" y="${y}" dy="4"
              >${stepLabel(step)}</text
            >`;
        })}
      </svg>
      <ol class="strip-bars">
        ${empty}${shown.map((batch, index) => bar({ batch, slot: SLOTS - shown.length + index, scale, current, frame }))}
      </ol>
    </div>
  </section>`;
}

interface BarOptions {
  readonly batch: BatchSummary;
  readonly slot: number;
  readonly scale: Scale;
  readonly current: number | undefined;
  readonly frame: Frame;
}

function bar({ batch, slot, scale, current, frame }: BarOptions): Html {
  const { batch_id, status, started_at } = batch;
  const seconds = secondsOf(batch, frame);
  const tall = round(Math.max(4, height(seconds, scale)));
  const side = slot < SLOTS / 3 ? "tip-right" : slot < (2 * SLOTS) / 3 ? "tip-middle" : "tip-left";
  const changed = batch.inserted + batch.updated + batch.deleted;
  return html`<li class="slot" id="bar-${batch_id}">
    <a href="/batches/${batch_id}" class="bar ${look(status)}" ${batch_id === current && html`aria-current="page"`}
      ><svg aria-hidden="true"><rect x="0" y="${round(100 - tall)}%" width="100%" height="${tall}%" rx="2" /></svg>
      <span class="tip ${side}">
        <b>${sign(status)} Batch ${batch_id}, ${status}</b>
        <span>${frame.times.full(started_at)}</span>
        <span
          >${status === "running" ? "so far " : ""}${duration(seconds)} · ${batch.trigger} · ${plural(changed, "row")}
          changed</span
        >
        ${batch.error && html`<span><code>${batch.error.code}</code></span>`}
      </span></a
    >
  </li>`;
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

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
