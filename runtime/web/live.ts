/** Tells open pages that something has changed (server-sent events); they fetch what they show anew. */
import type { Writable } from "node:stream";
import type { EventBus } from "../core/events.ts";
import type { Store } from "../store/store.ts";

/** Changes closer together than this are told as one. */
const COALESCE_MS = 250;

/** How often to look whether another process has written to the history. */
const FOREIGN_MS = 2_000;

/** A comment line this often lets both sides notice a dead connection. */
const HEARTBEAT_MS = 15_000;

const MAX_CLIENTS = 64;

export interface LiveOptions {
  readonly events: EventBus;
  readonly store: Pick<Store, "foreignVersion">;
}

/** Timers run only while a page is open. */
export class Live implements Disposable {
  readonly #clients = new Set<Writable>();
  readonly #store: LiveOptions["store"];
  readonly #unsubscribe: () => void;
  #pending: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #foreign: NodeJS.Timeout | undefined;
  #foreignVersion = 0;

  constructor({ events, store }: LiveOptions) {
    this.#store = store;
    this.#unsubscribe = events.subscribe(() => this.#changed());
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** @returns false if there are too many clients already */
  add(client: Writable): boolean {
    if (this.#clients.size >= MAX_CLIENTS) return false;
    if (this.#clients.size === 0) this.#startTimers();
    this.#clients.add(client);
    const remove = () => this.#remove(client);
    client.once("close", remove).once("error", remove);
    // The browser asks again two seconds after a connection broke.
    this.#send(client, "retry: 2000\n\n");
    return true;
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
    for (const client of this.#clients) client.end();
    this.#clients.clear();
    this.#stopTimers();
  }

  #changed(): void {
    if (this.#clients.size === 0) return;
    this.#pending ??= setTimeout(() => {
      this.#pending = undefined;
      this.#broadcast("event: change\ndata:\n\n");
    }, COALESCE_MS).unref();
  }

  #broadcast(message: string): void {
    for (const client of this.#clients) this.#send(client, message);
  }

  /** A client that has not taken what it was sent before is dropped: it comes back by itself, and nothing piles up meanwhile. */
  #send(client: Writable, message: string): void {
    if (client.writableNeedDrain) client.destroy();
    else client.write(message);
  }

  #remove(client: Writable): void {
    this.#clients.delete(client);
    if (this.#clients.size === 0) this.#stopTimers();
  }

  #startTimers(): void {
    this.#foreignVersion = this.#store.foreignVersion();
    this.#heartbeat = setInterval(() => this.#broadcast(": still here\n\n"), HEARTBEAT_MS).unref();
    this.#foreign = setInterval(() => {
      const version = this.#store.foreignVersion();
      if (version !== this.#foreignVersion) this.#changed();
      this.#foreignVersion = version;
    }, FOREIGN_MS).unref();
  }

  #stopTimers(): void {
    clearTimeout(this.#pending);
    clearInterval(this.#heartbeat);
    clearInterval(this.#foreign);
    this.#pending = undefined;
  }
}
