/** The last batches as a list, with pages of older ones. */
import type { BatchSummary } from "../../store/records.ts";
import { plural } from "../format.ts";
import { html, type Content, type Html } from "../html.ts";
import type { OverviewData } from "./overview-page.ts";
import { badge, changes, errorNote, lasted, relative, ticking } from "./parts.ts";
import { cell, panel } from "./results.ts";
import { about, creditsCell, creditsOf } from "./usage.ts";

export function batchesPanel(data: OverviewData): Html {
  const shown = data.listed.slice(0, data.listLimit);
  const last = shown.at(-1);
  // Why the newest one failed must not take a click to see; older reasons are history.
  const newest = data.before === undefined ? shown.find((batch) => batch.status !== "running") : undefined;
  const older = data.listed.length > data.listLimit && last;
  const credits = creditsOf(shown);
  const costs = credits !== undefined;
  return panel({
    id: "batches",
    title: "Batches",
    hint: html`${data.before !== undefined && html`before ${data.before} · <a href="/#batches-title">newest</a>`}
    ${costs && html`<span>${about(credits)} credits for these ${plural(shown.length, "batch")}, estimated</span>`}`,
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
            ${costs && html`<th class="number">Credits</th>`}
          </tr>
        </thead>
        <tbody>
          ${shown.map((batch) => batchRow({ batch, data, costs, withError: batch === newest }))}
        </tbody>
      </table>
      ${older && html`<p class="more"><a href="/?before=${last.batch_id}#batches-title">Older batches</a></p>`}`,
  });
}

interface Row {
  readonly batch: BatchSummary;
  readonly data: OverviewData;
  /** Whether there is a column for what it cost. */
  readonly costs: boolean;
  readonly withError: boolean;
}

function batchRow({ batch, data, costs, withError }: Row): Html {
  const { batch_id, status, error } = batch;
  return html`<tr id="batch-${batch_id}">
      <th scope="row">
        <a class="batch-link" href="/batches/${batch_id}">${batch_id}</a> ${badge(status)}${reason(batch)}
      </th>
      ${cell("", relative(batch.started_at, data))}
      ${cell("", status === "running" ? ticking(batch.started_at, data) : lasted(batch.seconds))}
      ${cell("", batch.trigger, "quiet")} ${cell("", changes(batch))} ${costs && cell("Credits", creditsCell(batch))}
    </tr>
    ${
      error &&
      withError &&
      html`<tr class="error-row">
        <td colspan="${costs ? 6 : 5}">${errorNote(error)}</td>
      </tr>`
    }`;
}

/** In a few words, why it is not a success. */
function reason({ error, tables_failed, models_failed, tests_failed }: BatchSummary): Content {
  const part = (value: number, noun: string) => value > 0 && `${value} ${value === 1 ? noun : `${noun}s`}`;
  const parts = [part(tables_failed, "table"), part(models_failed, "model"), part(tests_failed, "test")].filter(
    (text) => text !== false,
  );
  if (parts.length > 0) return html`<span class="sub bad">${parts.join(", ")}</span>`;
  return error && html`<span class="sub bad"><code>${error.code}</code></span>`;
}
