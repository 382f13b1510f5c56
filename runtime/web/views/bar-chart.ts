/** The frame of a chart with one bar for each of the last batches, the newest at the right; charts below each other share their columns. */
import type { BatchSummary } from "../../store/records.ts";
import { html, type Content, type Html } from "../html.ts";
import { panel } from "./results.ts";

const SLOTS = 60;

/** A line across the chart, at so many per cent of its height. */
export interface ChartLine {
  readonly label: string;
  readonly height: number;
}

export interface BarChartOptions {
  readonly id: string;
  /** Of the elements of the bars, before the batch's number. */
  readonly barId: string;
  readonly title: string;
  readonly hint: Content;
  /** Newest first. */
  readonly batches: readonly BatchSummary[];
  readonly lines: readonly ChartLine[];
  readonly bar: (batch: BatchSummary) => Bar;
  readonly footnote?: Content;
}

interface Bar {
  /** Classes that say how it looks. */
  readonly look: string;
  /** Per cent of the chart. */
  readonly height: number;
  readonly isCurrent?: boolean | undefined;
  /** What a tool tip tells: the first line is its title. */
  readonly tip: Content;
}

export function barChart({ id, barId, title, hint, batches, lines, bar, footnote }: BarChartOptions): Html {
  const shown = batches.slice(0, SLOTS).toReversed();
  const free = SLOTS - shown.length;
  const empty = Array.from({ length: free }, () => html`<li class="slot" aria-hidden="true"></li>`);
  return panel({
    id,
    title,
    hint,
    isEmpty: false,
    empty: "",
    content: html`<div class="chart">
        <svg class="chart-lines" aria-hidden="true">
          ${lines.map(({ label, height }) => {
            const y = `${round(100 - height)}%`;
            return html`<line x1="44" x2="100%" y1="${y}" y2="${y}" /><text x="0" y="${y}" dy="4">${label}</text>`;
          })}
        </svg>
        <ol class="chart-bars">
          ${empty}${shown.map((batch, index) => slot({ id: `${barId}-${batch.batch_id}`, batch, bar: bar(batch), place: (free + index) / SLOTS }))}
        </ol>
      </div>
      ${footnote && html`<p class="pad hint">${footnote}</p>`}`,
  });
}

interface Slot {
  readonly id: string;
  readonly batch: BatchSummary;
  readonly bar: Bar;
  /** From 0 at the left to 1 at the right. */
  readonly place: number;
}

function slot({ id, batch: { batch_id }, bar, place }: Slot): Html {
  const side = place < 1 / 3 ? "tip-right" : place < 2 / 3 ? "tip-middle" : "tip-left";
  const tall = round(bar.height);
  return html`<li class="slot" id="${id}">
    <a href="/batches/${batch_id}" class="bar ${bar.look}" ${bar.isCurrent && html`aria-current="page"`}
      ><svg aria-hidden="true"><rect x="0" y="${round(100 - tall)}%" width="100%" height="${tall}%" rx="2" /></svg>
      <span class="tip ${side}">${bar.tip}</span></a
    >
  </li>`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
