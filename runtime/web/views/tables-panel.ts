/** How each stage table stands now, and what the running batch does with it. */
import type { TableState, TaskAttempt } from "../../store/records.ts";
import { formatBytes, formatCount } from "../../core/format.ts";
import { plural } from "../format.ts";
import { html, type Content, type Html } from "../html.ts";
import type { Frame } from "./layout.ts";
import type { OverviewData } from "./overview-page.ts";
import { provenNote } from "./proven.ts";
import { changes, errorNote, lasted, none, relative, sign } from "./parts.ts";
import { cell, misfitNote, named, panel } from "./results.ts";

export function tablesPanel(data: OverviewData): Html {
  const { tables, running } = data;
  const states = new Map(tables.map((table) => [table.name, table]));
  // Tables that are being loaded for the first time have no result yet, but already show how far they are.
  const loading = running?.tasks.filter(({ kind }) => TABLE_TASKS.has(kind)).map(({ subject }) => subject) ?? [];
  const names = [...new Set([...states.keys(), ...loading])].toSorted();
  return panel({
    id: "tables",
    title: "Tables",
    hint: names.length > 0 && formatCount(names.length),
    isEmpty: names.length === 0,
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
        ${names.map((name) => tableRow(name, states.get(name), data))}
      </tbody>
    </table>`,
  });
}

function tableRow(name: string, table: TableState | undefined, data: OverviewData): Html {
  return html`<tr id="table-${name}">
      <th scope="row">
        ${named(table?.status ?? "waiting", name)}${table && misfitNote(table)}${provenNote(verified(name, data), data)}
      </th>
      ${cell("Rows", typeof table?.rows_total === "number" ? formatCount(table.rows_total) : none("not counted"))}
      ${cell("Last changes", lastChanges(table))}
      ${cell("Fresh as of", table?.loaded_as_of ? relative(table.loaded_as_of, data) : none("never loaded"))}
      ${cell(data.running ? "Now" : "Last load", activity(name, table, data.running), "activity")}
    </tr>
    ${
      table?.error &&
      html`<tr class="error-row">
        <td colspan="5">${errorNote(table.error)}</td>
      </tr>`
    }`;
}

const verified = (name: string, { verifications }: OverviewData) =>
  verifications.find((verification) => verification.name === name);

function lastChanges(table: TableState | undefined): Content {
  if (!table?.changed_batch_id) return none("no changes known");
  const { changed_batch_id, changed_inserted, changed_updated, changed_deleted } = table;
  const changed = { inserted: changed_inserted ?? 0, updated: changed_updated ?? 0, deleted: changed_deleted ?? 0 };
  return html`<span class="nowrap"
    >${changes(changed)} <a class="sub" href="/batches/${changed_batch_id}">in ${changed_batch_id}</a></span
  >`;
}

const TABLE_TASKS: ReadonlySet<TaskAttempt["kind"]> = new Set(["digest", "watermark", "extract", "load"]);

/** How a task of a table is called while it runs, and when it is done. */
const DOING: Partial<Record<TaskAttempt["kind"], readonly [now: string, then: string]>> = {
  digest: ["looking for changes", "looked for changes"],
  watermark: ["checking", "checked"],
  extract: ["reading", "read"],
  load: ["loading", "loaded"],
};

/** What the running batch does with the table, else what its last load was. */
function activity(name: string, table: TableState | undefined, running: Frame["running"]): Content {
  if (!running) {
    return table && html`<span class="quiet">${plural(table.rows_read, "row")} read, ${lasted(table.seconds)}</span>`;
  }
  const tasks = running.tasks.filter(({ subject, kind }) => subject === name && TABLE_TASKS.has(kind));
  const current = tasks.findLast((task) => task.status === "running") ?? tasks.at(-1);
  if (!current) return html`<span class="quiet">${sign("waiting")} waiting</span>`;
  const [now, then] = DOING[current.kind] ?? [current.kind, current.kind];
  const word =
    current.status === "running" ? now : current.status === "success" ? then : `${current.kind} ${current.status}`;
  return html`${sign(current.status)} ${word} <span class="quiet">${progress(current, tasks)}</span>`;
}

function progress(current: TaskAttempt, tasks: readonly TaskAttempt[]): Content {
  const counted = current.rows === null ? tasks.findLast((task) => task.rows !== null) : current;
  if (!counted || counted.rows === null) return null;
  return html`${plural(counted.rows, "row")}${counted.bytes ? `, ${formatBytes(counted.bytes)}` : ""}`;
}
