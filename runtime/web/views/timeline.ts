/** The waterfall of a batch's tasks. */
import { duration } from "../assets/format.js";
import { formatBytes, formatCount } from "../../core/format.ts";
import { plural } from "../format.ts";
import { html, type Html } from "../html.ts";
import type { Segment, Timeline, TimelineRow } from "../timeline.ts";
import { breakable, sign } from "./parts.ts";

const LEGEND = ["open", "extract", "load", "publish", "model", "test"] as const;

const NAMES: Readonly<Record<string, string>> = {
  open: "open snapshot",
  prepare: "prepare warehouse",
  publish: "publish",
  tests: "tests",
};

export function timelineView(data: Timeline): Html {
  const kinds = new Set(data.rows.flatMap((row) => row.segments.map((segment) => segment.kind)));
  return html`<section class="panel" aria-labelledby="timeline-title">
    <h2 id="timeline-title">
      Tasks
      <span class="legend">
        ${LEGEND.filter((kind) => kinds.has(kind)).map(
          (kind) =>
            html`<span
              ><svg class="key" aria-hidden="true"><rect class="segment ${kind}" width="10" height="10" rx="2" /></svg
              >${kind === "open" ? (kinds.has("digest") ? "snapshot, digest, watermark" : "snapshot, watermark") : kind}</span
            > `,
        )}
      </span>
    </h2>
    ${
      data.rows.length === 0
        ? html`<p class="empty">No task has started yet.</p>`
        : html`<ol class="timeline">
            <li class="timeline-row timeline-axis" aria-hidden="true">
              <span></span>
              <svg class="lane">
                ${data.ticks.map(
                  (tick, index) =>
                    html`<text
                      x="${percent(tick, data)}"
                      class="${tick > data.seconds * 0.93 ? "end" : index === 0 ? "" : "middle"}"
                      y="11"
                      >${axisLabel(tick)}</text
                    >`,
                )}
              </svg>
              <span></span>
            </li>
            ${data.rows.map((row) => rowView(row, data))}
          </ol>`
    }
  </section>`;
}

function rowView(row: TimelineRow, data: Timeline): Html {
  const name = NAMES[row.name] ?? row.name;
  const label = row.group === "tests" ? `${row.tests} tests` : name;
  const from = Math.min(...row.segments.map((segment) => segment.from));
  const to = Math.max(...row.segments.map((segment) => segment.to));
  const extract = row.segments.findLast((segment) => segment.kind === "extract" && segment.rows !== null);
  return html`<li class="timeline-row" id="row-${row.group}-${row.name}">
    <span class="timeline-name">
      ${sign(row.status, row.status)}
      <span class="name">${row.group === "batch" || row.group === "tests" ? label : breakable(label)}</span>
      ${row.retries > 0 && html`<span class="retries">${formatCount(row.retries)} ${row.retries === 1 ? "retry" : "retries"}</span>`}
    </span>
    <span class="lane-box" tabindex="0" role="group" aria-label="${label}: ${row.status}, ${duration(to - from)}">
      <svg class="lane" aria-hidden="true">
        ${data.ticks.map((tick) => html`<line x1="${percent(tick, data)}" x2="${percent(tick, data)}" y1="0" y2="100%" />`)}
        ${inOrderOfPaint(row.segments).map(
          (segment) =>
            html`<rect
              class="segment ${segment.status === "failed" ? "failed" : segment.kind} ${segment.status}"
              x="${percent(segment.from, data)}"
              y="6"
              width="${percent(segment.to - segment.from, data)}"
              height="12"
              rx="2"
            />`,
        )}
      </svg>
      <span class="tip ${from > data.seconds / 2 ? "tip-left" : "tip-right"}">
        <b>${label}</b>
        ${(row.group === "tests" ? row.segments.filter((segment) => segment.status !== "success") : row.segments).map(segmentLine)}
        ${row.group === "tests" && html`<span>${duration(to - from)} from the first to the last</span>`}
      </span>
    </span>
    <span class="timeline-numbers">
      <span class="number">${duration(to - from)}</span>
      <span class="number rows">${extract?.rows ? plural(extract.rows, "row") : ""}</span>
      <span class="number bytes">${extract?.bytes ? formatBytes(extract.bytes) : ""}</span>
    </span>
  </li>`;
}

/** What failed is painted last, so that a neighbour does not cover it. */
function inOrderOfPaint(segments: readonly Segment[]): readonly Segment[] {
  return segments.toSorted((one, other) => Number(one.status === "failed") - Number(other.status === "failed"));
}

function segmentLine({ kind, status, attempt, from, to, rows, bytes: size }: Segment): Html {
  return html`<span
    >${kind}${attempt > 1 && html` (attempt ${attempt})`}:
    ${duration(to - from)}${status !== "success" && html`, ${status}`}${
      rows ? html` · ${plural(rows, "row")}` : ""
    }${size ? html` · ${formatBytes(size)}` : ""}</span
  >`;
}

function percent(seconds: number, { seconds: end }: Timeline): string {
  return `${Math.round((seconds / end) * 10_000) / 100}%`;
}

function axisLabel(seconds: number): string {
  if (seconds === 0) return "0";
  if (seconds >= 60) return seconds % 60 === 0 ? `${seconds / 60} min` : duration(seconds);
  return `${Number(seconds.toPrecision(3))} s`;
}
