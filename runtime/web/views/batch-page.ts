/** One batch: what it came to, its tasks as a waterfall, its errors, results and log. */
import type { ErrorReport } from "../../core/errors.ts";
import type { BatchRecord, BatchSummary, LogLine } from "../../store/records.ts";
import { count, plural } from "../format.ts";
import { html, type Content, type Html } from "../html.ts";
import { timeline } from "../timeline.ts";
import { layout, type Frame } from "./layout.ts";
import { logView } from "./log.ts";
import { badge, changes, errorNote, lasted, relative, ticking } from "./parts.ts";
import { modelResults, tableResults, testResults } from "./results.ts";
import { strip } from "./strip.ts";
import { timelineView } from "./timeline.ts";

export interface BatchPageData extends Frame {
  readonly batch: BatchRecord;
  readonly strip: readonly BatchSummary[];
  /** Filter of the log: a task, or a table, model or test; empty for all. */
  readonly task: string;
  readonly follow: boolean;
  readonly lines: readonly LogLine[];
  readonly lineLimit: number;
  readonly open: ReadonlySet<string>;
}

export function batchPage(data: BatchPageData): Html {
  const { batch } = data;
  const { batch_id, status } = batch;
  const plan = timeline({ startedAt: batch.started_at, seconds: batch.seconds, tasks: batch.tasks, now: data.now });
  const main = html`
    <div class="page-title">
      <h1>Batch ${batch_id} ${badge(status)}</h1>
      <nav aria-label="Batches"><a href="/">All batches</a>${neighbours(data)}</nav>
    </div>
    ${facts(data)} ${errors(batch)} ${timelineView(plan)}
    <div class="columns even">
      <div>${tableResults(batch.tables)} ${modelResults(batch.models)}</div>
      <div>${testResults({ tests: batch.tests, open: data.open })} ${logView(data)}</div>
    </div>
    ${strip({ batches: data.strip, current: batch_id, frame: data })}
  `;
  return layout(data, `Batch ${batch_id} ${status} · NovaDrive`, main);
}

function neighbours({ batch, strip }: BatchPageData): Content {
  const [newest] = strip;
  const last = newest?.batch_id ?? batch.batch_id;
  return html`${batch.batch_id > 1 && html`<a href="/batches/${batch.batch_id - 1}">← ${batch.batch_id - 1}</a>`}
  ${batch.batch_id < last && html`<a href="/batches/${batch.batch_id + 1}">${batch.batch_id + 1} →</a>`}`;
}

function facts(data: BatchPageData): Html {
  const { batch, times } = data;
  const fact = (name: string, value: Content, note?: Content) =>
    html`<div>
      <dt>${name}</dt>
      <dd>${value}</dd>
      ${note && html`<dd class="note">${note}</dd>`}
    </div>`;
  return html`<dl class="facts">
    ${fact("Started", html`<span class="nowrap">${times.clock(batch.started_at)}</span>`, relative(batch.started_at, data))}
    ${fact("Duration", batch.status === "running" ? ticking(batch.started_at, data) : lasted(batch.seconds), `trigger: ${batch.trigger}`)}
    ${fact("Snapshot", batch.snapshot ? times.precise(batch.snapshot) : "–", batch.snapshot ? "all tables as of" : "none was opened")}
    ${fact("Rows read", count(batch.rows_read), plural(batch.tables.length, "table"))}
    ${fact("Changes", changes(batch), "in the stage tables")}
    ${fact("Failed", count(batch.tables_failed + batch.models_failed + batch.tests_failed), "tables, models and tests")}
  </dl>`;
}

/** Each error once, with everything that it hit. */
function errors({ error, tables, models, tests, tasks }: BatchRecord): Content {
  const found = new Map<string, { report: ErrorReport; where: Set<string> }>();
  const note = (report: ErrorReport | undefined, where: string) => {
    if (!report) return;
    const key = `${report.code} ${report.message}`;
    const known = found.get(key) ?? { report, where: new Set() };
    if (where !== "") known.where.add(where);
    found.set(key, known);
  };
  for (const result of [...tables, ...models, ...tests]) note(result.error, result.name);
  note(error, "");
  // Errors of attempts that were made good by a retry stay in the log.
  for (const task of tasks) if (task.status === "failed" && found.size === 0) note(task.error, task.subject);
  if (found.size === 0) return null;
  return html`<section class="panel errors" aria-labelledby="errors-title">
    <h2 id="errors-title">${plural(found.size, "error")}</h2>
    ${[...found.values()].map(({ report, where }) => errorNote(report, [...where].join(", ")))}
  </section>`;
}
