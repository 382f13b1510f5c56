/** A batch while it runs: a live table on a terminal, one line per finished step elsewhere. */
import { createLogUpdate } from "log-update";
import type { Config } from "../../config/options.ts";
import { formatBytes, formatCount, formatSeconds } from "../../core/format.ts";
import { redact } from "../../core/redact.ts";
import type { BatchEvent, EventBus } from "../../core/events.ts";
import { taskId, type TaskRef } from "../../core/task.ts";
import { styleFor, type Style } from "./style.ts";

/** Redraws at most this often, in milliseconds. */
const FRAME = 100;

/** Shows every batch of `events` on `stream` until disposed; with a level above `info`, only warnings and errors. */
export function showProgress(events: EventBus, stream: NodeJS.WriteStream, level: Config["logLevel"]): Disposable {
  const quiet = level === "warn" || level === "error";
  const view = stream.isTTY && !quiet ? liveView(stream) : plainView(stream, quiet);
  const unsubscribe = events.subscribe((event) => view.take(event));
  return {
    [Symbol.dispose]: () => {
      unsubscribe();
      view.end();
    },
  };
}

interface View {
  take(event: BatchEvent): void;
  end(): void;
}

function plainView(stream: NodeJS.WriteStream, quiet: boolean): View {
  const line = (event: BatchEvent, text: string) =>
    stream.write(`${event.at.toISOString().slice(11, 19)} ${redact(text)}\n`);
  return {
    take: (event) => {
      if (quiet && !(event.type === "log" && event.level !== "info")) return;
      if (event.type === "batch_started") line(event, `batch ${event.batchId} started (${event.trigger})`);
      else if (event.type === "log") line(event, `${event.task ? `${taskId(event.task)}: ` : ""}${event.message}`);
      else if (event.type === "task_finished" && event.status === "success" && !isDetail(event.task)) {
        line(event, `${taskId(event.task)}: done in ${formatSeconds(event.seconds)}`);
      } else if (event.type === "test_finished" && event.result.status !== "pass") {
        line(event, `test ${event.result.name}: ${event.result.status}`);
      } else if (event.type === "batch_finished") {
        line(event, `batch ${event.batchId} ${event.result.status} in ${formatSeconds(event.result.seconds)}`);
      }
    },
    end: () => undefined,
  };
}

/** Steps that are too many or too quick for a line of their own. */
const isDetail = (task: TaskRef): boolean =>
  task.kind === "digest" || task.kind === "watermark" || task.kind === "test";

interface Row {
  step: string;
  rows: number;
  bytes: number;
  startedAt: number;
  now: number;
  state: "running" | "success" | "failed";
}

function liveView(stream: NodeJS.WriteStream): View {
  const draw = createLogUpdate(stream, { showCursor: true });
  const style = styleFor(stream);
  const tables = new Map<string, Row>();
  const counts = { models: 0, tests: 0, wrong: 0 };
  let step = "";
  let drawnAt = 0;
  const render = (force: boolean) => {
    const now = Date.now();
    if (!force && now - drawnAt < FRAME) return;
    drawnAt = now;
    const lines = [...tables].map(([name, row]) => tableLine(name, row, style));
    const built = counts.models + counts.tests === 0 ? "" : `${counts.models} models, ${counts.tests} tests`;
    const wrong = counts.wrong === 0 ? "" : style.bad(`${counts.wrong} failed`);
    draw([...lines, [style.dim(step), built, wrong].filter(Boolean).join("  ")].join("\n"));
  };
  return {
    take: (event) => {
      switch (event.type) {
        case "batch_started":
          tables.clear();
          Object.assign(counts, { models: 0, tests: 0, wrong: 0 });
          step = `batch ${event.batchId}`;
          break;
        case "task_started":
          step = taskId(event.task);
          if (isTableTask(event.task)) startRow(tables, event.task, event.at);
          break;
        case "task_progress":
          updateRow(tables, event.task, { ...event.progress, now: event.at.getTime() });
          break;
        case "task_finished":
          if (isTableTask(event.task)) finishRow(tables, event.task, event.status, event.at);
          break;
        case "log":
          if (event.level !== "info") {
            draw.clear();
            stream.write(`${style.warn(event.task ? taskId(event.task) : "batch")} ${redact(event.message)}\n`);
          }
          break;
        case "model_finished":
          counts.models++;
          if (event.result.status === "failed") counts.wrong++;
          break;
        case "test_finished":
          counts.tests++;
          if (event.result.status === "fail" || event.result.status === "error") counts.wrong++;
          break;
        case "batch_finished":
          draw.clear();
          return;
        case "snapshot_opened":
        case "table_finished":
          break;
      }
      render(event.type !== "task_progress");
    },
    end: () => draw.clear(),
  };
}

const isTableTask = (task: TaskRef): boolean =>
  task.kind === "watermark" || task.kind === "extract" || task.kind === "load" || task.kind === "verify";

function startRow(tables: Map<string, Row>, task: TaskRef, at: Date): void {
  const now = at.getTime();
  const row = tables.get(task.subject);
  if (row) Object.assign(row, { step: task.kind, now });
  else tables.set(task.subject, { step: task.kind, rows: 0, bytes: 0, startedAt: now, now, state: "running" });
}

function updateRow(tables: Map<string, Row>, task: TaskRef, change: Pick<Row, "rows" | "bytes" | "now">): void {
  const row = tables.get(task.subject);
  if (row) Object.assign(row, change);
}

function finishRow(tables: Map<string, Row>, task: TaskRef, status: "success" | "failed", at: Date): void {
  const row = tables.get(task.subject);
  if (!row) return;
  row.now = at.getTime();
  if (status === "failed") row.state = "failed";
  else if (task.kind === "load" || task.kind === "verify") row.state = "success";
}

function tableLine(name: string, row: Row, style: Style): string {
  const seconds = (row.now - row.startedAt) / 1000;
  const mark = { running: style.warn("…"), success: style.good("✓"), failed: style.bad("✗") }[row.state];
  const rate = row.rows > 0 && seconds > 0 ? `${formatCount(Math.round(row.rows / seconds))} rows/s` : "";
  const figures = [
    `${formatCount(row.rows)} rows`.padStart(18),
    formatBytes(row.bytes).padStart(9),
    rate.padStart(18),
  ].join(" ");
  return `${mark} ${name.padEnd(24)} ${style.dim(row.state === "running" ? row.step.padEnd(9) : "".padEnd(9))} ${figures}`;
}
