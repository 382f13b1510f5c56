/**
 * From the journal, as `journalctl --output=json` prints it, to bodies of PutLogEvents (`events-<n>.json`), to metrics (`metrics`), and
 * to the place in the journal up to which that is (`cursor`).
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html, with some room to spare. */
const MOST = { events: 10_000, bytes: 1_000_000, span: 23 * 3_600_000, message: 250_000 };
/**
 * Of one report: a backlog is brought bit by bit, or one that takes longer than a report may would be sent again and again, and paid
 * for each time.
 */
const MOST_REQUESTS = 8;
const MOST_METRICS = 50;
/**
 * A metric from further back is not sent: it would alarm nobody in time, and what is older than two weeks CloudWatch refuses for good.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
 */
const OLDEST_METRIC_MS = 24 * 3_600_000;
/** What CloudWatch counts for an event besides its text. */
const EVENT_BYTES = 26;

export interface LogEvent {
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly message: string;
}

interface Metric {
  readonly name: string;
  readonly value: number;
  readonly at: Date;
}

export interface ReadJournalOptions {
  /** One JSON object each, as journalctl prints them. */
  readonly lines: AsyncIterable<string> | Iterable<string>;
  /** Told of each full batch, in the order of time. */
  readonly send: (events: readonly LogEvent[]) => void;
  readonly measure: (metric: Metric) => void;
  readonly now: Date;
}

/** @returns the cursor of the last entry that was read; undefined if there was none */
export async function readJournal({ lines, send, measure, now }: ReadJournalOptions): Promise<string | undefined> {
  let batch: LogEvent[] = [];
  let bytes = 0;
  let requests = 0;
  let metrics = 0;
  let cursor: string | undefined;
  const flush = () => {
    // CloudWatch wants the order of time; two services' lines may be a moment out of it.
    if (batch.length > 0) {
      send(batch.toSorted((a, b) => a.timestamp - b.timestamp));
      requests += 1;
    }
    batch = [];
    bytes = 0;
  };
  for await (const line of lines) {
    const entry = parse(line);
    const message = textOf(entry?.MESSAGE);
    const timestamp = Math.floor(Number(entry?.__REALTIME_TIMESTAMP) / 1000);
    const here = typeof entry?.__CURSOR === "string" ? entry.__CURSOR : cursor;
    if (!message || !Number.isFinite(timestamp)) {
      cursor = here;
      continue;
    }
    const size = Buffer.byteLength(message) + EVENT_BYTES;
    const full = batch.length >= MOST.events || bytes + size > MOST.bytes;
    const [first] = batch;
    if (full || (first !== undefined && Math.abs(timestamp - first.timestamp) > MOST.span)) flush();
    if (requests >= MOST_REQUESTS || metrics >= MOST_METRICS) break;
    cursor = here;
    batch.push({ timestamp, message });
    bytes += size;
    const failed = batchFailed(message);
    if (failed === undefined || timestamp < now.getTime() - OLDEST_METRIC_MS) continue;
    // A clock that was set back has left lines of the future, which CloudWatch refuses too.
    metrics += 1;
    measure({ name: "BatchFailed", value: failed ? 1 : 0, at: new Date(Math.min(timestamp, now.getTime())) });
  }
  flush();
  return cursor;
}

/** The journal gives texts that are not UTF-8 as a list of bytes, and those that are too long as null. */
function textOf(message: unknown): string | undefined {
  const text = Array.isArray(message) ? Buffer.from(message).toString("utf8") : message;
  if (typeof text !== "string") return undefined;
  return Buffer.byteLength(text) <= MOST.message ? text : `${text.slice(0, MOST.message / 4)} …`;
}

/** @returns undefined for a line that does not tell how a batch ended */
function batchFailed(message: string): boolean | undefined {
  const line = parse(message);
  if (line === undefined) return undefined;
  const { batch, status, code, msg } = line;
  if (typeof batch === "number" && typeof status === "string") return status !== "success";
  const broken = typeof code === "string" && typeof msg === "string" && /^(?:the batch of|batch) .* failed: /.test(msg);
  return broken ? true : undefined;
}

type Fields = Readonly<
  Partial<Record<"__CURSOR" | "MESSAGE" | "__REALTIME_TIMESTAMP" | "batch" | "status" | "code" | "msg", unknown>>
>;

function parse(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  const [logGroupName, logStreamName, folder = "."] = process.argv.slice(2);
  let count = 0;
  let metrics = "";
  const cursor = await readJournal({
    lines: createInterface({ input: process.stdin }),
    send: (logEvents) => {
      const name = `events-${String(++count).padStart(6, "0")}.json`;
      writeFileSync(join(folder, name), JSON.stringify({ logGroupName, logStreamName, logEvents }));
    },
    now: new Date(),
    measure: ({ name, value, at }) => (metrics += `${name} ${value} ${at.toISOString()}\n`),
  });
  writeFileSync(join(folder, "metrics"), metrics);
  if (cursor !== undefined) writeFileSync(join(folder, "cursor"), cursor);
  // The rest waits for the next report.
  process.stdin.destroy();
}
