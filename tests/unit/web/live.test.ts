import { Writable } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { EventBus } from "../../../runtime/core/events.ts";
import { Live } from "../../../runtime/web/live.ts";

/** A connection whose other side reads as much as it is told to. */
class Client extends Writable {
  readonly received: string[] = [];
  reading = true;

  constructor() {
    super({ highWaterMark: 64 });
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (!this.reading) return;
    this.received.push(chunk.toString());
    done();
  }

  get changes(): number {
    return this.received.filter((message) => message.startsWith("event: change")).length;
  }
}

const events = new EventBus();
let version = 0;
let live: Live;

beforeEach(() => {
  vi.useFakeTimers();
  live = new Live({ events, store: { foreignVersion: () => version } });
});
afterEach(() => {
  live[Symbol.dispose]();
  vi.useRealTimers();
});

function emit(): void {
  events.emit({ type: "log", batchId: 1, at: new Date(), level: "info", message: "x" });
}

test("many events within a moment are told as one change", () => {
  const client = new Client();
  live.add(client);
  for (let count = 0; count < 100; count++) emit();
  expect(client.changes).toBe(0);
  vi.advanceTimersByTime(250);
  expect(client.changes).toBe(1);
  emit();
  vi.advanceTimersByTime(250);
  expect(client.changes).toBe(2);
});

test("a client that does not read is dropped, and the others go on", () => {
  const [slow, quick] = [new Client(), new Client()];
  slow.reading = false;
  live.add(slow);
  live.add(quick);
  for (let count = 0; count < 10; count++) {
    emit();
    vi.advanceTimersByTime(250);
  }
  expect(slow.destroyed).toBe(true);
  expect(slow.writableLength).toBeLessThan(200);
  expect(quick.changes).toBe(10);
});

test("a client that has gone is forgotten, and nothing is left ticking", async () => {
  const client = new Client();
  live.add(client);
  expect(live.clients).toBe(1);
  client.destroy();
  await vi.waitFor(() => expect(live.clients).toBe(0));
  expect(vi.getTimerCount()).toBe(0);
});

test("nothing ticks while nobody looks", () => {
  emit();
  expect(vi.getTimerCount()).toBe(0);
});

test("what another process writes to the history is told too", () => {
  const client = new Client();
  live.add(client);
  vi.advanceTimersByTime(2_500);
  expect(client.changes).toBe(0);
  version++;
  vi.advanceTimersByTime(2_500);
  expect(client.changes).toBe(1);
});

test("there is a limit to how many may look", () => {
  const clients = Array.from({ length: 70 }, () => new Client());
  expect(clients.filter((client) => live.add(client))).toHaveLength(64);
});

test("the end of the server ends every connection", () => {
  const client = new Client();
  live.add(client);
  live[Symbol.dispose]();
  expect(client.writableEnded).toBe(true);
});
