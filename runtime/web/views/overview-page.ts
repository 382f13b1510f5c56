/** The overview: how the last batch went, the last batches, and how tables, models and tests stand now. */
import { duration } from "../assets/format.js";
import type { BatchSummary, ModelState, StoreStats, TableState, TaskAttempt, TestState } from "../../store/records.ts";
import { bytes, count } from "../format.ts";
import { html, type Content, type Html } from "../html.ts";
import { layout, type Frame } from "./layout.ts";
import { badge, changes, errorNote, lasted, none, relative, sign, ticking, type Status } from "./parts.ts";
import { cell, named, panel, testResults } from "./results.ts";
import { strip } from "./strip.ts";

export interface OverviewData extends Frame {
  readonly strip: readonly BatchSummary[];
  /** One more than `listLimit` if there are older ones. */
  readonly listed: readonly BatchSummary[];
  readonly listLimit: number;
  readonly before: number | undefined;
  readonly stats: StoreStats;
  readonly tables: readonly TableState[];
  readonly models: readonly ModelState[];
  readonly tests: readonly TestState[];
  /** Names of the parts that are open. */
  readonly open: ReadonlySet<string>;
}

export function overviewPage(data: OverviewData): Html {
  const [newest] = data.strip;
  if (!newest) return layout(data, "NovaDrive", welcome(data));
  const main = html`
    <h1 class="unseen">Overview</h1>
    ${facts(data, newest)} ${strip({ batches: data.strip, frame: data })}
    <div class="columns">
      <div>${tablesPanel(data)} ${modelsPanel(data)}</div>
      <div>${batchesPanel(data)} ${testResults({ tests: data.tests, open: data.open })}</div>
    </div>
  `;
  return layout(data, `${titleSign(newest)} NovaDrive`, main);
}

/** So that a tab in the background tells how things stand. */
function titleSign({ status, batch_id }: BatchSummary): string {
  if (status === "running") return `… ${batch_id} ·`;
  return status === "success" ? "✓" : `✗ ${batch_id} ${status} ·`;
}

function welcome({ nextRun }: Frame): Html {
  return html`<section class="panel welcome">
    <svg viewBox="0 0 120 60" aria-hidden="true">
      <rect x="6" y="14" width="26" height="32" rx="4" />
      <rect x="47" y="14" width="26" height="32" rx="4" />
      <rect x="88" y="14" width="26" height="32" rx="4" />
      <path d="M34 30h11m30 0h11" />
    </svg>
    <h1>No batch has run yet</h1>
    <p>
      ${nextRun ? "The schedule starts the first one: the time is in the head of the page." : "There is no schedule."}
      Press <b>Run now</b> to start one at once. It loads every table of the manifest, builds the models and runs their
      tests; this page shows it as it happens.
    </p>
  </section>`;
}

function facts(data: OverviewData, newest: BatchSummary): Html {
  const { stats, tests, times } = data;
  const finished = data.strip.find((batch) => batch.status !== "running");
  const asOf = data.strip.find((batch) => batch.snapshot !== null && batch.status === "success");
  const passing = tests.filter((test) => test.status === "pass").length;
  const fact = (name: string, value: Content, note: Content) =>
    html`<div>
      <dt>${name}</dt>
      <dd>${value}</dd>
      <dd class="note">${note}</dd>
    </div>`;
  return html`<dl class="facts">
    ${fact(
      "Newest batch",
      html`<a class="big" href="/batches/${newest.batch_id}"
        >${sign(newest.status)} ${newest.batch_id} ${newest.status}</a
      >`,
      newest.status === "running"
        ? html`for ${ticking(newest.started_at, data)}`
        : html`${relative(newest.started_at, data)}, ${lasted(newest.seconds)}`,
    )}
    ${fact(
      "Data as of",
      asOf?.snapshot
        ? html`<time datetime="${asOf.snapshot}" title="${times.full(asOf.snapshot)}"
            >${times.clock(asOf.snapshot)}</time
          >`
        : "–",
      asOf?.snapshot ? html`${relative(asOf.snapshot, data)}, batch ${asOf.batch_id}` : "nothing loaded yet",
    )}
    ${fact("Changes", finished ? changes(finished) : "–", finished ? `of ${count(finished.rows_read)} rows read in batch ${finished.batch_id}` : "")}
    ${fact(
      "Tests",
      html`${sign(passing === tests.length ? "pass" : "fail")} ${count(passing)}<span class="of">
          / ${count(tests.length)}</span
        >`,
      passing === tests.length ? "all pass" : "pass",
    )}
    ${fact(
      "Success",
      stats.batches === 0 ? "–" : `${percentOf(stats.succeeded, stats.batches)} %`,
      `of the last ${count(stats.batches)} batches`,
    )}
    ${fact("Typical duration", stats.median_seconds === null ? "–" : duration(stats.median_seconds), "median")}
  </dl>`;
}

/** Never rounded up to 100: that would hide the one that failed. */
function percentOf(part: number, whole: number): string {
  const percent = Math.floor((part / whole) * 1000) / 10;
  return percent === 100 || percent === 0 ? String(percent) : percent.toFixed(1);
}

function tablesPanel(data: OverviewData): Html {
  const { tables, running } = data;
  return panel({
    id: "tables",
    title: "Tables",
    hint: tables.length > 0 && count(tables.length),
    isEmpty: tables.length === 0,
    empty: "No table has been loaded yet.",
    content: html`<table class="cards">
      <thead>
        <tr>
          <th>Table</th>
          <th class="number">Rows</th>
          <th class="number">Last changes</th>
          <th class="number">Fresh as of</th>
          <th class="activity-head">${running ? "Now" : "Last load"}</th>
        </tr>
      </thead>
      <tbody>
        ${tables.map((table) => tableRow(table, data))}
      </tbody>
    </table>`,
  });
}

function tableRow(table: TableState, data: OverviewData): Html {
  const changed = table.changed_at !== null && table.changed_batch_id !== null;
  const changedBy = {
    inserted: table.changed_inserted ?? 0,
    updated: table.changed_updated ?? 0,
    deleted: table.changed_deleted ?? 0,
  };
  return html`<tr id="table-${table.name}">
      <th scope="row">${named(table.status, table.name)}<span class="sub">${table.mode}</span></th>
      ${cell("Rows", table.rows_total === null ? none("not counted") : count(table.rows_total))}
      ${cell(
        "Last changes",
        changed
          ? html`${changes(changedBy)}
              <a class="sub" href="/batches/${table.changed_batch_id}">in ${table.changed_batch_id}</a>`
          : none("no changes known"),
      )}
      ${cell("Fresh as of", table.loaded_as_of === null ? none("never loaded") : relative(table.loaded_as_of, data))}
      ${cell(data.running ? "Now" : "Last load", activity(table, data), "activity")}
    </tr>
    ${
      table.error &&
      html`<tr class="error-row">
        <td colspan="5">${errorNote(table.error)}</td>
      </tr>`
    }`;
}

/** What the running batch does with the table, else how long its last load took. */
function activity(table: TableState, { running }: OverviewData): Content {
  if (!running) {
    return html`<span class="quiet">${lasted(table.seconds)}, ${count(table.rows_read)} rows read</span>`;
  }
  const tasks = running.tasks.filter(
    (task) => task.subject === table.name && task.kind !== "model" && task.kind !== "test",
  );
  const current = tasks.findLast((task) => task.status === "running") ?? tasks.at(-1);
  if (!current) return html`<span class="quiet">${sign("waiting")} waiting</span>`;
  const state: Status = current.status === "success" && current.kind === "extract" ? "success" : current.status;
  return html`<span class="live"
    >${sign(state)} <span>${current.kind}</span> <span class="quiet">${progress(current, tasks)}</span></span
  >`;
}

function progress(current: TaskAttempt, tasks: readonly TaskAttempt[]): Content {
  const counted = current.rows === null ? tasks.findLast((task) => task.rows !== null) : current;
  if (!counted || counted.rows === null) return null;
  return html`${count(counted.rows)}
  rows${counted.bytes !== null && counted.bytes > 0 && html`, ${bytes(counted.bytes)}`}`;
}

function modelsPanel(data: OverviewData): Html {
  const { models } = data;
  return panel({
    id: "models",
    title: "Models",
    hint: models.length > 0 && count(models.length),
    isEmpty: models.length === 0,
    empty: "No model has been built yet.",
    content: html`<table class="cards">
      <thead>
        <tr>
          <th>Model</th>
          <th>Kind</th>
          <th class="number">Rows written</th>
          <th class="number">Time</th>
          <th class="number">Built</th>
        </tr>
      </thead>
      <tbody>
        ${models.map(
          (model) =>
            html`<tr id="model-${model.name}">
                <th scope="row">${named(model.status, model.name)}</th>
                ${cell("Kind", model.materialized ?? none("not known"), "quiet")}
                ${cell("Rows written", model.rows === null ? none("not counted") : count(model.rows))}
                ${cell("Time", model.status === "skipped" ? none() : lasted(model.seconds))}
                ${cell("Built", model.status === "success" ? relative(model.at, data) : model.status)}
              </tr>
              ${
                model.error &&
                html`<tr class="error-row">
                  <td colspan="5">${errorNote(model.error)}</td>
                </tr>`
              }`,
        )}
      </tbody>
    </table>`,
  });
}

function batchesPanel(data: OverviewData): Html {
  const shown = data.listed.slice(0, data.listLimit);
  const last = shown.at(-1);
  const older = data.listed.length > data.listLimit && last;
  return panel({
    id: "batches",
    title: "Batches",
    hint: data.before !== undefined && html`before ${data.before} · <a href="/#batches-title">newest</a>`,
    isEmpty: shown.length === 0,
    empty: "There are no older batches.",
    content: html`<table class="cards batches">
        <thead>
          <tr>
            <th>Batch</th>
            <th class="number">Started</th>
            <th class="number">Duration</th>
            <th>Trigger</th>
            <th class="number">Changes</th>
          </tr>
        </thead>
        <tbody>
          ${shown.map((batch) => batchRow(batch, data))}
        </tbody>
      </table>
      ${older && html`<p class="more"><a href="/?before=${last.batch_id}#batches-title">Older batches</a></p>`}`,
  });
}

function batchRow(batch: BatchSummary, data: OverviewData): Html {
  const { batch_id, status } = batch;
  return html`<tr id="batch-${batch_id}">
    <th scope="row">
      <a class="batch-link" href="/batches/${batch_id}">${batch_id}</a> ${badge(status)}${reason(batch)}
    </th>
    ${cell("Started", relative(batch.started_at, data))}
    ${cell("Duration", status === "running" ? ticking(batch.started_at, data) : lasted(batch.seconds))}
    ${cell("Trigger", batch.trigger, "quiet")} ${cell("Changes", changes(batch))}
  </tr>`;
}

/** In a few words, why it is not a success. */
function reason({ error, tables_failed, models_failed, tests_failed }: BatchSummary): Content {
  const part = (value: number, noun: string) => value > 0 && `${value} ${value === 1 ? noun : `${noun}s`}`;
  const parts = [part(tables_failed, "table"), part(models_failed, "model"), part(tests_failed, "test")].filter(
    (text) => text !== false,
  );
  if (parts.length > 0) return html`<span class="sub bad">${parts.join(", ")} failed</span>`;
  return error && html`<span class="sub bad"><code>${error.code}</code></span>`;
}
