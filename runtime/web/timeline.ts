/** The tasks of a batch as rows of a waterfall: pure geometry, drawn by views/timeline.ts. */
import type { TaskAttempt } from "../store/records.ts";

export interface Segment {
  readonly kind: TaskAttempt["kind"];
  readonly status: TaskAttempt["status"];
  readonly attempt: number;
  /** Seconds from the start of the batch. */
  readonly from: number;
  readonly to: number;
  readonly rows: number | null;
  readonly bytes: number | null;
}

export interface TimelineRow {
  readonly group: "batch" | "table" | "model" | "tests";
  /** The table or model, or the task of the whole batch; `tests` for all tests together. */
  readonly name: string;
  /** How many tests a row of group `tests` stands for. */
  readonly tests: number;
  readonly segments: readonly Segment[];
  readonly status: TaskAttempt["status"];
  /** Attempts beyond the first of each task. */
  readonly retries: number;
}

export interface Timeline {
  /** In the order of their first start, the tests last. */
  readonly rows: readonly TimelineRow[];
  /** Length of the axis; never 0. */
  readonly seconds: number;
  /** Marks of the axis in seconds, from 0 on. */
  readonly ticks: readonly number[];
}

export interface TimelineRequest {
  readonly startedAt: string;
  /** Known once the batch is over. */
  readonly seconds: number | null;
  readonly tasks: readonly TaskAttempt[];
  readonly now: Date;
}

export function timeline({ startedAt, seconds, tasks, now }: TimelineRequest): Timeline {
  const zero = Date.parse(startedAt);
  const soFar = seconds ?? Math.max(0, (now.getTime() - zero) / 1000);
  const byRow = Map.groupBy(tasks, rowKey);
  const rows = [...byRow]
    .toSorted(([one], [other]) => Number(one === TESTS) - Number(other === TESTS))
    .map(([, attempts]) => rowOf(attempts, zero, soFar));
  const end = Math.max(soFar, ...rows.flatMap((row) => row.segments.map((segment) => segment.to)), 0.001);
  return { rows, seconds: end, ticks: ticks(end) };
}

/** Tests run whenever what they test is there; their one row stands last. */
const TESTS = "tests";

function rowKey({ kind, subject }: TaskAttempt): string {
  if (kind === "test") return TESTS;
  if (kind === "model") return `model/${subject}`;
  return subject === "" ? `batch/${kind}` : `table/${subject}`;
}

function rowOf(attempts: readonly TaskAttempt[], zero: number, soFar: number): TimelineRow {
  const [first] = attempts;
  const group =
    first?.kind === "test" ? "tests" : first?.kind === "model" ? "model" : first?.subject === "" ? "batch" : "table";
  return {
    group,
    name: group === "tests" ? "tests" : group === "batch" ? (first?.kind ?? "") : (first?.subject ?? ""),
    tests: group === "tests" ? new Set(attempts.map((attempt) => attempt.subject)).size : 0,
    segments: attempts.map((attempt) => segmentOf(attempt, zero, soFar)),
    status: statusOf(attempts),
    retries: attempts.filter((attempt) => attempt.attempt > 1).length,
  };
}

function segmentOf(attempt: TaskAttempt, zero: number, soFar: number): Segment {
  const { kind, status, rows, bytes, seconds } = attempt;
  const from = Math.max(0, (Date.parse(attempt.started_at) - zero) / 1000);
  const to = status === "running" || seconds === null ? Math.max(from, soFar) : from + seconds;
  return { kind, status, attempt: attempt.attempt, from, to, rows, bytes };
}

/** The worst of what each task came to in its last attempt. */
function statusOf(attempts: readonly TaskAttempt[]): TaskAttempt["status"] {
  const last = new Map(attempts.map((attempt) => [`${attempt.kind}/${attempt.subject}`, attempt.status]));
  const statuses = new Set(last.values());
  return (["running", "failed", "cancelled"] as const).find((status) => statuses.has(status)) ?? "success";
}

/** Three to seven round marks. */
function ticks(end: number): number[] {
  const rough = end / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step =
    rough < 60 ? power * (rough / power > 5 ? 10 : rough / power > 2 ? 5 : rough / power > 1 ? 2 : 1) : minutes(rough);
  const marks = [];
  for (let index = 0; index * step <= end; index++) marks.push(index * step);
  return marks;
}

function minutes(rough: number): number {
  const steps = [60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 28_800];
  return steps.find((step) => step >= rough) ?? 86_400 * Math.ceil(rough / 86_400);
}
