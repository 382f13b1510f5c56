/** What one batch came to: its tables, models and tests. */
import type { BatchStatus } from "../../core/result.ts";
import type { ModelRecord, TableRecord, TestRecord } from "../../store/records.ts";
import { formatBytes, formatCount } from "../../core/format.ts";
import { plural } from "../format.ts";
import { html, type Content, type Html } from "../html.ts";
import { badge, breakable, changes, errorNote, lasted, none, sign, type Status } from "./parts.ts";

export function tableResults(tables: readonly TableRecord[], status: BatchStatus): Html {
  return panel({
    id: "tables",
    title: "Tables",
    empty: status === "running" ? "None is published yet." : "No table was loaded.",
    isEmpty: tables.length === 0,
    content: html`<table class="cards">
      <thead>
        <tr>
          <th>Table</th>
          <th class="number">Rows read</th>
          <th class="number">Changes</th>
          <th class="number">Size</th>
          <th class="number">Time</th>
        </tr>
      </thead>
      <tbody>
        ${tables.map(
          (table) =>
            html`<tr id="table-${table.name}">
              <th scope="row">
                ${named(table.status, table.name)}<span class="sub">${table.mode}</span>${misfitNote(table)}
              </th>
              ${cell("Rows read", formatCount(table.rows_read))} ${cell("Changes", changes(table))}
              ${cell("Size", formatBytes(table.bytes))} ${cell("Time", lasted(table.seconds))}
            </tr>`,
        )}
      </tbody>
    </table>`,
  });
}

/** What did not fit and was let through stands where the table's name is, so that nobody has to look for it. */
export function misfitNote({ misfits }: Pick<TableRecord, "misfits">): Content {
  if (!misfits) return null;
  const total = Object.values(misfits).reduce((sum, count) => sum + count, 0);
  const columns = Object.entries(misfits).map(([column, count]) => `${column}: ${formatCount(count)}`);
  return html`<span class="sub misfits" title="${columns.join(", ")}"
    >${sign("warn", "warning")} ${plural(total, "value")} did not fit
    (${breakable(Object.keys(misfits).join(", "))})</span
  >`;
}

export interface ModelResultsOptions {
  readonly models: readonly ModelRecord[];
  /** Of the batch that they belong to. */
  readonly status: BatchStatus;
  /** Whether all of them were left as they are, because nothing was new. */
  readonly untouched: boolean;
}

export function modelResults({ models, status, untouched }: ModelResultsOptions): Html {
  const unbuilt = status === "running" ? "None is built yet." : "No model was built.";
  return panel({
    id: "models",
    title: "Models",
    empty: untouched ? `Nothing was new, so the ${plural(models.length, "model")} stay as they are.` : unbuilt,
    isEmpty: untouched || models.length === 0,
    content: html`<table class="cards">
      <thead>
        <tr>
          <th>Model</th>
          <th>Status</th>
          <th class="number">Rows</th>
          <th class="number">Time</th>
        </tr>
      </thead>
      <tbody>
        ${models.map(
          (model) =>
            html`<tr id="model-${model.name}">
              <th scope="row">
                ${named(model.status, model.name)}${model.materialized && html`<span class="sub">${model.materialized}</span>`}
              </th>
              ${cell("", badge(model.status), "status")}
              ${cell("Rows", model.rows === null ? none("not counted") : formatCount(model.rows))}
              ${cell("Time", lasted(model.seconds))}
            </tr>`,
        )}
      </tbody>
    </table>`,
  });
}

export interface TestResultsOptions {
  readonly tests: readonly TestRecord[];
  /** Of the batch that they belong to, if it is one. */
  readonly status?: BatchStatus | undefined;
  /** Whether none was run, because nothing was new. */
  readonly untouched?: boolean | undefined;
  /** Whether errors are told here, because they stand nowhere else on the page. */
  readonly withErrors: boolean;
  /** Names of the parts that are open. */
  readonly open: ReadonlySet<string>;
}

/** What did not pass stands open; what passed is folded away. */
export function testResults({ tests, status, untouched, withErrors, open }: TestResultsOptions): Html {
  const unrun = status === "running" ? "None has run yet." : "No test has run.";
  const passing = tests.filter((test) => test.status === "pass");
  const others = tests.filter((test) => test.status !== "pass");
  return panel({
    id: "tests",
    title: "Tests",
    hint: tests.length > 0 && !untouched && html`${formatCount(passing.length)} of ${formatCount(tests.length)} pass`,
    empty: untouched ? `Nothing was new, so the ${plural(tests.length, "test")} were not run again.` : unrun,
    isEmpty: untouched || tests.length === 0,
    content: html`${
      others.length > 0 &&
      html`<ul class="tests">
        ${others.map((test) => testLine(test, withErrors))}
      </ul>`
    }
    ${
      passing.length > 0 &&
      html`<details id="passing" data-open="passing" ${open.has("passing") && html`open`}>
        <summary>
          ${sign("pass")} ${formatCount(passing.length)} passing ${passing.length === 1 ? "test" : "tests"}
        </summary>
        <ul class="tests">
          ${passing.map((test) => testLine(test, false))}
        </ul>
      </details>`
    }`,
  });
}

function testLine({ name, status, failures, error }: TestRecord, withError: boolean): Html {
  return html`<li class="test" id="test-${name}">
    ${sign(status, status)}
    <div>
      <span class="name">${breakable(name)}</span>
      ${failures > 0 && html`<span class="failures">${formatCount(failures)} ${failures === 1 ? "row" : "rows"}</span>`}
      ${withError && error && errorNote(error)}
    </div>
  </li>`;
}

export interface PanelOptions {
  readonly id: string;
  readonly title: string;
  readonly hint?: Content;
  readonly isEmpty: boolean;
  readonly empty: string;
  readonly content: Content;
}

export function panel({ id, title, hint, isEmpty, empty, content }: PanelOptions): Html {
  return html`<section class="panel panel-${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title} ${hint && html`<span class="hint">${hint}</span>`}</h2>
    ${isEmpty ? html`<p class="empty">${empty}</p>` : content}
  </section>`;
}

/** A cell that carries its column's name along, for the narrow form in which rows are cards; empty where the value says it itself. */
export function cell(label: string, content: Content, look = "number"): Html {
  return html`<td class="${look}" ${label !== "" && html`data-label="${label}"`}>${content}</td>`;
}

export function named(status: Status, name: string): Html {
  return html`<span class="named">${sign(status, status)}<span class="name">${breakable(name)}</span></span>`;
}
