/** The log of a batch, filtered by task, following the end if wanted. */
import { html, type Html } from "../html.ts";
import type { BatchPageData } from "./batch-page.ts";

export function logView({ batch, task, follow, lines, lineLimit, times }: BatchPageData): Html {
  const subjects = [...new Set(batch.tasks.map(({ subject, kind }) => (subject === "" ? kind : subject)))].toSorted();
  // A filter from an old link may name a task that this batch does not have; it is shown, so that it can be undone.
  const choices = task === "" || subjects.includes(task) ? subjects : [task, ...subjects];
  return html`<section class="panel" aria-labelledby="log-title">
    <div class="panel-head">
      <h2 id="log-title">Log</h2>
      <form class="log-tools" method="get">
        <label
          >Task
          <select name="task" id="log-task" data-submit>
            <option value="">all</option>
            ${choices.map((name) => html`<option value="${name}" ${name === task && html`selected`}>${name}</option>`)}
          </select></label
        >
        <label
          ><input type="checkbox" id="log-follow" data-option="follow" ${follow && html`checked`} autocomplete="off" />
          Follow</label
        >
        <noscript><button>Show</button></noscript>
      </form>
    </div>
    ${
      lines.length >= lineLimit &&
      html`<p class="hint pad">
        The newest ${lineLimit} lines. All of them:
        <a href="/api/batches/${batch.batch_id}/logs?after=0&amp;limit=2000">JSON</a>
      </p>`
    }
    <div class="log" id="log" tabindex="0" role="group" aria-label="Log lines" ${follow && html`data-follow`}>
      ${lines.length === 0 && html`<p class="empty">${task === "" ? "Nothing was logged." : "This task logged nothing."}</p>`}
      ${lines.map(
        ({ id, at, level, task, message }) =>
          html`<p id="line-${id}" class="line ${level}">
            <time datetime="${at}" title="${times.full(at)}">${times.precise(at)}</time>
            ${level !== "info" && html`<b class="level">${level}</b>`}
            ${task !== null && html`<span class="task">${task}</span>`}
            <span class="message">${message}</span>
          </p>`,
      )}
    </div>
  </section>`;
}
