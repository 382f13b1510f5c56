/** The overview: how the last batch went, the last batches, and how tables, models and tests stand now. */
import type { BatchSummary, ModelState, StoreStats, TableState, TestState } from "../../store/records.ts";
import type { VerificationState } from "../../store/verifications.ts";
import { countdown, duration } from "../assets/format.js";
import { formatCount } from "../../core/format.ts";
import { plural } from "../format.ts";
import { html, type Html } from "../html.ts";
import { batchesPanel } from "./batches-panel.ts";
import { layout, type Frame } from "./layout.ts";
import { modelsPanel } from "./models-panel.ts";
import { changes, fact, lasted, none, relative, sign, ticking } from "./parts.ts";
import { testResults } from "./results.ts";
import { strip } from "./strip.ts";
import { tablesPanel } from "./tables-panel.ts";
import { creditsChart } from "./usage.ts";
import { warningsPanel } from "./warnings.ts";

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
  readonly verifications: readonly VerificationState[];
  /** Names of the parts that are open. */
  readonly open: ReadonlySet<string>;
}

export function overviewPage(data: OverviewData): Html {
  const [newest] = data.strip;
  if (!newest) return layout(data, "NovaDrive", welcome(data));
  const main = html`
    <h1 class="unseen">Overview</h1>
    ${facts(data, newest)} ${warningsPanel(data.strip.find(({ status }) => status !== "running")?.warnings)}
    ${strip({ batches: data.strip, frame: data })} ${creditsChart(data.strip)}
    <div class="columns">
      <div>${tablesPanel(data)} ${modelsPanel(data)}</div>
      <div>${batchesPanel(data)} ${testResults({ tests: data.tests, withErrors: true, open: data.open })}</div>
    </div>
  `;
  return layout(data, `${titleSign(newest)} NovaDrive`, main);
}

/** So that a tab in the background tells how things stand. */
function titleSign({ status, batch_id }: BatchSummary): string {
  if (status === "running") return `… ${batch_id} ·`;
  return status === "success" ? "✓" : `✗ ${batch_id} ${status} ·`;
}

function welcome({ nextRun, now, times }: Frame): Html {
  const first = nextRun
    ? html`The schedule starts the first one in
        <b
          ><time datetime="${nextRun.toISOString()}" title="${times.full(nextRun.toISOString())}" data-live="countdown"
            >${countdown(nextRun.getTime(), now.getTime())}</time
          ></b
        >; <b>Run now</b> starts one at once.`
    : html`There is no schedule; <b>Run now</b> starts one.`;
  return html`<section class="panel welcome">
    <svg viewBox="0 0 200 60" aria-hidden="true">
      <path d="M12 16v28c0 4 9 7 18 7s18-3 18-7V16" />
      <ellipse cx="30" cy="16" rx="18" ry="7" />
      <path d="M12 30c0 4 9 7 18 7s18-3 18-7" />
      <path class="flow" d="M58 31h20m44 0h20" />
      <path class="star" d="M100 11l5 15 15 5-15 5-5 15-5-15-15-5 15-5z" />
      <path d="M152 51V12m0 39h38" />
      <path d="M160 51V36h7v15m3 0V27h7v24m3 0V17h7v34" />
    </svg>
    <h1>No batch has run yet</h1>
    <p>${first}</p>
    <p>A batch loads every table of the manifest, builds the models and runs their tests. This page shows it live.</p>
  </section>`;
}

function facts(data: OverviewData, newest: BatchSummary): Html {
  const { stats, tests } = data;
  const finished = data.strip.find((batch) => batch.status !== "running");
  const passing = tests.filter((test) => test.status === "pass").length;
  const allPass = passing === tests.length;
  return html`<dl class="facts">
    ${fact({
      name: "Newest batch",
      value: html`<a class="big" href="/batches/${newest.batch_id}"
        >${sign(newest.status)} ${newest.batch_id} ${newest.status}</a
      >`,
      note:
        newest.status === "running"
          ? html`for ${ticking(newest.started_at, data)}`
          : html`${relative(newest.started_at, data)}, ${lasted(newest.seconds)}`,
    })}
    ${freshness(data)}
    ${fact({
      name: "Changes",
      value: finished ? changes(finished) : none(),
      note: finished && `${plural(finished.rows_read, "row")} read in batch ${finished.batch_id}`,
    })}
    ${
      tests.length === 0
        ? fact({ name: "Tests", value: none(), note: "none has run" })
        : fact({
            name: "Tests",
            value: html`${sign(allPass ? "pass" : "fail")} ${formatCount(passing)}
              <span class="of">/ ${formatCount(tests.length)}</span>`,
            note: allPass ? "all pass" : `${formatCount(tests.length - passing)} not passing`,
          })
    }
    ${fact({
      name: "Success",
      value: stats.batches === 0 ? none() : `${percentOf(stats.succeeded, stats.batches)} %`,
      note: `of the last ${plural(stats.batches, "batch")}`,
    })}
    ${fact({
      name: "Typical duration",
      value: stats.median_seconds === null ? none() : duration(stats.median_seconds),
      note: "median",
    })}
  </dl>`;
}

/** The instant that the stage tables show. */
function freshness({ tables, ...frame }: OverviewData): Html {
  const instants = tables.map((table) => table.loaded_as_of).filter((at) => at !== null);
  const [oldest, newest] = [instants.toSorted().at(0), instants.toSorted().at(-1)];
  if (!oldest || !newest) return fact({ name: "Data as of", value: none(), note: "nothing is loaded yet" });
  return fact({
    name: "Data as of",
    value: html`<time datetime="${newest}" title="${frame.times.full(newest)}">${frame.times.clock(newest)}</time>`,
    note:
      oldest === newest && instants.length === tables.length
        ? html`${relative(newest, frame)}, all tables`
        : html`oldest table: ${relative(oldest, frame)}`,
  });
}

/** Never rounded up to 100: that would hide the one that failed. */
function percentOf(part: number, whole: number): string {
  const percent = Math.floor((part / whole) * 1000) / 10;
  return percent === 100 || percent === 0 ? String(percent) : percent.toFixed(1);
}
