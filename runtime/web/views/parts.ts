/** Small pieces that every part of the page is made of. */
import type { ErrorReport } from "../../core/errors.ts";
import { ago, duration, elapsed } from "../assets/format.js";
import { formatCount } from "../../core/format.ts";
import { html, type Content, type Html } from "../html.ts";
import type { Frame } from "./layout.ts";

export type Status =
  | "running"
  | "success"
  | "failed"
  | "cancelled"
  | "skipped"
  | "pass"
  | "fail"
  | "warn"
  | "error"
  | "waiting";

/** How a status looks; several words share one look. */
const LOOKS: Readonly<Record<Status, "good" | "bad" | "busy" | "odd" | "off">> = {
  running: "busy",
  success: "good",
  pass: "good",
  failed: "bad",
  fail: "bad",
  error: "bad",
  cancelled: "odd",
  warn: "odd",
  skipped: "off",
  waiting: "off",
};

/** Shapes, so that no status is told by its colour alone. */
const SHAPES: Readonly<Record<(typeof LOOKS)[Status], Html>> = {
  good: html`<path d="M4.5 8.3 7 10.8l4.5-5.3" />`,
  bad: html`<path d="m5.5 5.5 5 5m0-5-5 5" />`,
  busy: html`<path d="M8 4.6v3.6l2.3 1.5" />`,
  odd: html`<path d="M8 4.5v4m0 2.6v.2" />`,
  off: html`<path d="M5 8h6" />`,
};

export function look(status: Status): string {
  return LOOKS[status];
}

/** The status as a round sign; the word beside it must be written by the caller, or `label` given. */
export function sign(status: Status, label?: string): Html {
  const name = label ? html`role="img" aria-label="${label}"` : html`aria-hidden="true"`;
  return html`<svg class="sign ${look(status)}" viewBox="0 0 16 16" ${name}>
    <circle cx="8" cy="8" r="7.2" />
    ${SHAPES[LOOKS[status]]}
  </svg>`;
}

/** The status as sign and word. */
export function badge(status: Status): Html {
  return html`<span class="badge ${look(status)}">${sign(status)}${status}</span>`;
}

/** An instant, told from now, with the full time as its title. */
export function relative(at: string, { times, now }: Frame): Html {
  const text = ago(Date.parse(at), now.getTime());
  return html`<time datetime="${at}" title="${times.full(at)}" data-live="ago">${text}</time>`;
}

/** Time that something has been running, ticking. */
export function ticking(since: string, { times, now }: Frame): Html {
  const text = elapsed(Date.parse(since), now.getTime());
  return html`<time datetime="${since}" title="since ${times.full(since)}" data-live="elapsed">${text}</time>`;
}

/** A duration, or a dash where it is not known. */
export function lasted(seconds: number | null): Content {
  return seconds === null ? none() : duration(seconds);
}

/** A dash for "there is no value". */
export function none(label = "none"): Html {
  return html`<span class="none" aria-label="${label}">–</span>`;
}

export interface Changes {
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

/** `+9 ~2 −1`, or a dash if nothing changed. */
export function changes({ inserted, updated, deleted }: Changes): Html {
  if (inserted + updated + deleted === 0) return none("no changes");
  const part = (value: number, symbol: string, word: string, look: string) =>
    value > 0 &&
    html`<span class="${look}" title="${formatCount(value)} ${word}">${symbol}${formatCount(value)}</span> `;
  return html`<span class="changes"
    >${part(inserted, "+", "inserted", "inserted")}${part(updated, "~", "updated", "updated")}${part(
      deleted,
      "−",
      "deleted",
      "deleted",
    )}</span
  >`;
}

export interface Fact {
  readonly name: string;
  readonly value: Content;
  readonly note?: Content;
}

/** One of the large figures at the head of a page. */
export function fact({ name, value, note }: Fact): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
    ${note && html`<dd class="note">${note}</dd>`}
  </div>`;
}

/** A name that may break behind its joints rather than be cut off. */
export function breakable(name: string): Content[] {
  return name.split(/(?<=[_./])/).flatMap((piece, index) => (index === 0 ? [piece] : [html`<wbr />`, piece]));
}

/** Text of an error, whose `commands` stand in backticks. */
export function prose(text: string): Content[] {
  return text.split("`").map((piece, index) => (index % 2 === 1 ? html`<code>${piece}</code>` : piece));
}

/** What went wrong, and what to do about it. */
export function errorNote({ code, message, remedy }: ErrorReport, where?: string): Html {
  return html`<div class="error-note">
    <p class="error-head">
      <code class="code">${code}</code>${where && html` <span class="where">${breakable(where)}</span>`}
    </p>
    <p class="error-message">${prose(message)}</p>
    <p class="error-remedy"><b>What to do:</b> ${prose(remedy)}</p>
  </div>`;
}
