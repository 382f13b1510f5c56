/** The frame around every page: head, header with schedule and button, footer. */
import cronstrue from "cronstrue";
import { countdown } from "../assets/format.js";
import type { BatchRecord } from "../../store/records.ts";
import type { ServerInfo } from "../context.ts";
import type { Times } from "../format.ts";
import { html, type Content, type Html } from "../html.ts";
import { ticking } from "./parts.ts";

/** In the order in which they overrule each other. */
const STYLES = ["base", "panels", "batch", "narrow"] as const;

export interface DocumentOptions {
  /** What the page is about, for the tab and the history of the browser. */
  readonly title: string;
  readonly styles?: readonly string[] | undefined;
  /** Whether the page keeps itself fresh. */
  readonly script?: boolean | undefined;
  /** Whether the browser is to ask for the page again at once. */
  readonly refresh?: boolean | undefined;
}

/** What every page is given. */
export interface Frame {
  readonly info: ServerInfo;
  readonly times: Times;
  readonly now: Date;
  readonly nextRun: Date | undefined;
  /** The batch that is running, as far as it is. */
  readonly running: BatchRecord | undefined;
  /** For the button that logs out; undefined where there is no login. */
  readonly logoutToken: string | undefined;
}

/** @param title what the page is about, for the tab and the history of the browser */
export function layout(frame: Frame, title: string, main: Content): Html {
  return document(
    { title },
    html`<div id="page" data-now="${frame.now.toISOString()}">
        ${header(frame)}
        <main id="main" tabindex="-1">${main}</main>
        ${footer(frame.info)}
      </div>
      <div id="notice" role="status" aria-live="polite" hidden></div>`,
  );
}

export function document(
  { title, styles = STYLES, script = true, refresh = false }: DocumentOptions,
  body: Html,
): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
        ${refresh && html`<meta http-equiv="refresh" content="0" />`}
        ${styles.map((name) => html`<link rel="stylesheet" href="/assets/${name}.css" />`)}
        ${script && html`<script type="module" src="/assets/page.js"></script>`}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        ${body}
      </body>
    </html>`;
}

export function brand(): Html {
  return html`<a class="brand" href="/">
    <svg viewBox="0 0 24 24" aria-hidden="true">
      <path d="M12 1.8 14.2 9.8 22.2 12l-8 2.2L12 22.2l-2.2-8-8-2.2 8-2.2z" />
    </svg>
    NovaDrive
  </a>`;
}

function header(frame: Frame): Html {
  const { info, running } = frame;
  return html`<header class="top">
    <div class="top-row">
      ${brand()}
      <p class="route">
        <code title="Source: ${info.source}">${shortUrl(info.source)}</code>
        <span aria-label="is loaded into">→</span>
        <code title="Warehouse: ${info.warehouse}">${shortUrl(info.warehouse)}</code>
      </p>
      <div class="top-actions">
        <p class="schedule">
          <span class="schedule-words" title="${info.schedule} (${info.timezone})"
            >${scheduleInWords(info.schedule)}</span
          >
          ${nextRun(frame)}
        </p>
        <button id="run" type="button" class="primary" ${running && html`disabled`}>
          <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M4.5 2.8v10.4L13 8z" /></svg>Run now
        </button>
        ${frame.logoutToken !== undefined && logout(frame.logoutToken)}
      </div>
    </div>
    <p id="offline" class="offline" hidden>Connection lost; what you see may be old. Trying again …</p>
  </header>`;
}

function logout(token: string): Html {
  return html`<form class="logout" method="post" action="/logout">
    <input type="hidden" name="token" value="${token}" />
    <button type="submit" class="plain">Log out</button>
  </form>`;
}

function nextRun(frame: Frame): Html {
  const { nextRun, now, running, times } = frame;
  if (running) {
    return html`<a class="next busy" href="/batches/${running.batch_id}">
      <span class="pulse" aria-hidden="true"></span>batch ${running.batch_id} runs,
      ${ticking(running.started_at, frame)}</a
    >`;
  }
  if (!nextRun) return html`<span class="next">no next run</span>`;
  const at = nextRun.toISOString();
  return html`<span class="next"
    >next run in
    <time datetime="${at}" title="${times.full(at)}" data-live="countdown"
      >${countdown(nextRun.getTime(), now.getTime())}</time
    ></span
  >`;
}

function footer({ version, timezone }: ServerInfo): Html {
  return html`<footer class="foot">
    <span>novadrive ${version}</span>
    <span>Times in ${timezone}</span>
    <span><a href="/api/status">JSON</a> · <a href="/healthz">health</a></span>
  </footer>`;
}

/** `* * * * *` → `Every minute`. */
export function scheduleInWords(schedule: string): string {
  if (schedule.trim() === "") return "Started by hand only";
  try {
    return cronstrue.toString(schedule, { use24HourTimeFormat: true });
  } catch {
    return schedule;
  }
}

/** `postgres://app:***@db.example.com:5432/novadrive?sslmode=require` → `db.example.com/novadrive`. */
function shortUrl(url: string): string {
  if (!URL.canParse(url)) return url;
  const { protocol, hostname, port, pathname } = new URL(url);
  if (hostname === "") return url;
  const usual = port === "" || (protocol.startsWith("postgres") && port === "5432");
  return `${hostname}${usual ? "" : `:${port}`}${pathname === "/" ? "" : pathname}`;
}
