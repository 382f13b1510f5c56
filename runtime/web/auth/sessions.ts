/** Who is logged in. Sessions live in the memory of this process, and end with it. */
import { createHash, randomBytes } from "node:crypto";
import type { Writable } from "node:stream";
import type { Clock } from "../../core/clock.ts";

/** After this long without a request and without an open page, in milliseconds. */
export const IDLE_MS = 60 * 60_000;

/** After this long in any case: a working day. */
export const LONGEST_MS = 12 * 60 * 60_000;

/** One operator has few browsers; the oldest login gives way. */
const MOST_SESSIONS = 32;

const ID_BYTES = 32;

export interface Session {
  /** What it is kept under: the hash of what the browser holds. */
  readonly key: string;
  readonly since: Date;
}

interface Entry extends Session {
  usedAt: number;
  readonly streams: Set<Writable>;
}

export class Sessions implements Disposable {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get count(): number {
    return this.#entries.size;
  }

  /** @returns the id for the browser, which is kept nowhere here */
  begin(): string {
    for (const entry of this.#entries.values()) if (this.#isOver(entry)) this.#end(entry);
    for (const entry of this.#entries.values()) if (this.#entries.size >= MOST_SESSIONS) this.#end(entry);
    const id = randomBytes(ID_BYTES).toString("base64url");
    const now = this.#clock.now();
    const key = keyOf(id);
    this.#entries.set(key, { key, since: now, usedAt: now.getTime(), streams: new Set() });
    return id;
  }

  /** The session of that id, which has now been used; undefined if there is none, or none any more. */
  use(id: string): Session | undefined {
    const entry = this.#entries.get(keyOf(id));
    if (!entry) return undefined;
    if (this.#isOver(entry)) {
      this.#end(entry);
      return undefined;
    }
    entry.usedAt = this.#clock.now().getTime();
    return entry;
  }

  end({ key }: Pick<Session, "key">): void {
    const entry = this.#entries.get(key);
    if (entry) this.#end(entry);
  }

  /** Ends the stream no later than the session; as long as it is open, the session is in use. */
  attach({ key }: Pick<Session, "key">, stream: Writable): void {
    const entry = this.#entries.get(key);
    if (!entry) return void stream.end();
    entry.streams.add(stream);
    const closed = new AbortController();
    stream.once("close", () => {
      closed.abort();
      entry.streams.delete(stream);
      entry.usedAt = this.#clock.now().getTime();
    });
    const left = entry.since.getTime() + LONGEST_MS - this.#clock.now().getTime();
    this.#clock.sleep(Math.max(left, 0), closed.signal).then(
      () => this.#end(entry),
      () => undefined,
    );
  }

  [Symbol.dispose](): void {
    for (const entry of this.#entries.values()) this.#end(entry);
  }

  #isOver({ since, usedAt, streams }: Entry): boolean {
    const now = this.#clock.now().getTime();
    return now >= since.getTime() + LONGEST_MS || (streams.size === 0 && now >= usedAt + IDLE_MS);
  }

  #end(entry: Entry): void {
    this.#entries.delete(entry.key);
    for (const stream of entry.streams) stream.end();
  }
}

/** Looked up by hash, so that the time it takes says nothing about ids that are valid. */
function keyOf(id: string): string {
  return createHash("sha256").update(id).digest("base64url");
}
