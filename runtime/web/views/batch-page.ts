/** One batch: what it came to, its tasks as a waterfall, its errors, results and log. */
import type { ErrorReport } from "../../core/errors.ts";
import { foundNothingNew } from "../../core/result.ts";
import type { BatchRecord, BatchSummary, LogLine } from "../../store/records.ts";
import { formatCount } from "../../core/format.ts";
import { plural } from "../format.ts";
import { html, type Content, type Html } from "../html.ts";
import { timeline } from "../timeline.ts";
import { layout, type Frame } from "./layout.ts";
import { logView } from "./log.ts";
import { badge, changes, errorNote, fact, lasted, none, relative, ticking } from "./parts.ts";
import { modelResults, tableResults, testResults } from "./results.ts";
import { strip } from "./strip.ts";
import { timelineView } from "./timeline.ts";
import { usageFacts } from "./usage.ts";
import { warningsPanel } from "./warnings.ts";

export interface BatchPageData extends Frame {
  readonly batch: BatchRecord;
  readonly strip: readonly BatchSummary[];
  /** The batches before and after it. */
  readonly previous: number | undefined;
  readonly next: number | undefined;
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
  const untouched = foundNothingNew(batch);
  const plan = timeline({ startedAt: batch.started_at, seconds: batch.seconds, tasks: batch.tasks, now: data.now });
  const main = html`
    <div class="page-title">
      <h1>Batch ${batch_id} ${badge(status)}</h1>
      <nav aria-label="Batches"><a href="/">All batches</a>${neighbours(data)}</nav>
    </div>
    ${facts(data)} ${usageFacts(batch.usage)} ${errors(batch)} ${warningsPanel(batch.warnings)} ${timelineView(plan)}
    <div class="columns even">
      <div>${tableResults(batch.tables, status)} ${modelResults({ models: batch.models, status, untouched })}</div>
      <div>
        ${testResults({ tests: batch.tests, status, untouched, withErrors: false, open: data.open })} ${logView(data)}
      </div>
    </div>
    ${strip({ batches: data.strip, current: batch_id, frame: data })}
  `;
  return layout(data, `Batch ${batch_id} ${status} · NovaDrive`, main);
}

function neighbours({ previous, next }: BatchPageData): Content {
  return html`${previous !== undefined && html`<a href="/batches/${previous}">← ${previous}</a>`}
  ${next !== undefined && html`<a href="/batches/${next}">${next} →</a>`}`;
}

function facts(data: BatchPageData): Html {
  const { batch, times } = data;
  const failures = batch.tables_failed + batch.models_failed + batch.tests_failed;
  return html`<dl class="facts">
    ${fact({ name: "Started", value: times.clock(batch.started_at), note: relative(batch.started_at, data) })}
    ${fact({
      name: "Duration",
      value: batch.status === "running" ? ticking(batch.started_at, data) : lasted(batch.seconds),
      note: `started by ${STARTED_BY[batch.trigger]}`,
    })}
    ${fact({
      name: "Data as of",
      value: batch.snapshot ? times.precise(batch.snapshot) : none(),
      note: batch.snapshot ? "all tables at one instant" : "no snapshot was opened",
    })}
    ${rowsRead(batch)} ${fact({ name: "Changes", value: changes(batch), note: "in the stage tables" })}
    ${fact({ name: "Failed", value: formatCount(failures), note: "tables, models and tests" })}
  </dl>`;
}

/** Of the results, or as far as the tasks of a running batch have come. */
function rowsRead({ status, rows_read, tables, tasks }: BatchRecord): Html {
  const extracts = tasks.filter((task) => task.kind === "extract");
  const [rows, among] =
    status === "running" && tables.length === 0
      ? [extracts.reduce((sum, task) => sum + (task.rows ?? 0), 0), new Set(extracts.map((task) => task.subject)).size]
      : [rows_read, tables.length];
  return fact({ name: "Rows read", value: formatCount(rows), note: `in ${plural(among, "table")}` });
}

const STARTED_BY: Readonly<Record<BatchRecord["trigger"], string>> = {
  schedule: "the schedule",
  manual: "hand",
  command: "novadrive run",
};

/** Each error once, with everything that it hit. */
function errors({ status, error, tables, models, tests, tasks }: BatchRecord): Content {
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
  const retried = found.size === 0;
  if (retried) for (const task of tasks) note(task.error, task.subject);
  if (found.size === 0) return null;
  const title = retried && status === "success" ? "Made good by a retry" : plural(found.size, "error");
  return html`<section class="panel errors" aria-labelledby="errors-title">
    <h2 id="errors-title">${title}</h2>
    ${[...found.values()].map(({ report, where }) => errorNote(report, [...where].join(", ")))}
  </section>`;
}
