/** The demo's sales site: a steady stream of transactions like those of a real one, until it is told to stop. */
import type { Clock } from "../core/clock.ts";
import type { DemoLog } from "./log.ts";
import { between, pickWeighted, seededRandom, type Random } from "./random.ts";
import { connectSite, inTransaction, type SiteConnection } from "./simulator/connection.ts";
import {
  cancelSale,
  changePrice,
  correctPrice,
  moveClient,
  registerClient,
  sell,
  type SiteEvent,
} from "./simulator/events.ts";

const EVENTS = {
  sale: { weight: 600, run: sell },
  newClient: { weight: 120, run: registerClient },
  correctedPrice: { weight: 120, run: correctPrice },
  cancelledSale: { weight: 60, run: cancelSale },
  movedClient: { weight: 70, run: moveClient },
  priceListChange: { weight: 6, run: changePrice },
} as const satisfies Record<string, { weight: number; run: SiteEvent }>;

const LONG_WEIGHT = 20;
/** Seconds that a long transaction stays open. */
const LONG = { from: 10, to: 90 };
/** Events a second: about as fast as a reader can follow. */
const DEFAULT_RATE = 0.6;
const BACKOFF_MS = { first: 500, most: 30_000 };
const PATIENCE_MS = 2000;

type EventKind = keyof typeof EVENTS;
const KINDS: readonly (EventKind | "longTransaction")[] = [...(Object.keys(EVENTS) as EventKind[]), "longTransaction"];

export type SimulatorCounts = Readonly<Record<EventKind | "longTransaction", number>> & {
  /** Long transactions that are open at this moment. */
  readonly open: number;
};

export interface SimulatorOptions {
  /** As the owner of the tables. */
  readonly url: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: DemoLog;
  readonly signal: AbortSignal;
  /** Events a second, on average; default 0.6. */
  readonly rate?: number | undefined;
}

export interface Simulator extends AsyncDisposable {
  /** Committed so far, by kind. */
  counts(): SimulatorCounts;
  /** Stops, rolling back what is open; the same as aborting the signal and waiting. May be called twice. */
  stop(): Promise<void>;
  /** Resolves when it has stopped; never rejects. */
  readonly stopped: Promise<void>;
}

/** Starts the stream. It never fails: while the server is away it tries again, at growing intervals. */
export function startSimulator(options: SimulatorOptions): Simulator {
  const run = new SimulatorRun(options);
  const stopped = run.run();
  const stop = async (): Promise<void> => {
    run.stop();
    await stopped;
  };
  return { counts: () => ({ ...run.counts }), stop, stopped, [Symbol.asyncDispose]: stop };
}

/** `1,204 sales, 310 new clients, 2 price-list changes`: for a line in the terminal. */
export function describeCounts(counts: SimulatorCounts): string {
  const words: readonly (readonly [EventKind | "longTransaction", string, string])[] = [
    ["sale", "sale", "sales"],
    ["newClient", "new client", "new clients"],
    ["movedClient", "changed address", "changed addresses"],
    ["correctedPrice", "corrected price", "corrected prices"],
    ["cancelledSale", "cancelled sale", "cancelled sales"],
    ["priceListChange", "price-list change", "price-list changes"],
    ["longTransaction", "long transaction", "long transactions"],
  ];
  const parts = words
    .filter(([kind]) => counts[kind] > 0)
    .map(([kind, one, many]) => `${counts[kind].toLocaleString("en")} ${counts[kind] === 1 ? one : many}`);
  if (counts.open > 0) parts.push(`${counts.open} still open`);
  return parts.length === 0 ? "nothing yet" : parts.join(", ");
}

class SimulatorRun {
  readonly counts = {
    ...(Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Record<EventKind | "longTransaction", number>),
    open: 0,
  };
  readonly #options: SimulatorOptions;
  readonly #stopping = new AbortController();
  readonly #signal: AbortSignal;
  readonly #connections = new Set<SiteConnection>();
  #long: Promise<void> | undefined;
  #failures = 0;

  constructor(options: SimulatorOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#stopping.signal]);
  }

  stop(): void {
    this.#stopping.abort();
  }

  async run(): Promise<void> {
    const over = new AbortController();
    const impatience = this.#cutWhenLate(over.signal);
    while (!this.#signal.aborted) await this.#untilFailure();
    await this.#long;
    over.abort();
    await impatience;
  }

  /** Events on one connection, until it fails or the end is asked for. */
  async #untilFailure(): Promise<void> {
    const { clock, random, log, rate = DEFAULT_RATE } = this.#options;
    try {
      await using connection = await this.#connect();
      while (!this.#signal.aborted) {
        await this.#next(connection);
        if (this.#failures > 0) log("The sales site goes on");
        this.#failures = 0;
        await clock.sleep(((0.5 + random()) * 1000) / rate, this.#signal);
      }
    } catch (thrown) {
      if (this.#signal.aborted) return;
      this.#failures++;
      if (this.#failures === 1) log(`The sales site cannot write (${reason(thrown)}); it tries again`, "warn");
      const pause = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** (this.#failures - 1));
      await clock.sleep(pause, this.#signal).catch(() => {});
    }
  }

  async #next({ client }: SiteConnection): Promise<void> {
    const { random } = this.#options;
    const kind = pickWeighted(random, KINDS, (each) =>
      each === "longTransaction" ? LONG_WEIGHT : EVENTS[each].weight,
    );
    if (kind !== "longTransaction") {
      if (await inTransaction(client, () => EVENTS[kind].run(client, random))) this.counts[kind]++;
    } else if (!this.#long) {
      // With a sequence of its own: two that run side by side would draw from one in an order that cannot be repeated.
      const own = seededRandom(random() * 2 ** 32);
      this.#long = this.#longTransaction(own).finally(() => (this.#long = undefined));
    }
  }

  /**
   * Rows whose data_atualizacao is the beginning of the transaction, and which appear long after it, when others have committed later
   * values. Whoever reads only what is above the highest value seen so far never sees them.
   */
  async #longTransaction(random: Random): Promise<void> {
    const { clock } = this.#options;
    const seconds = between(random, LONG.from, LONG.to);
    const sales = between(random, 1, 3);
    try {
      await using connection = await this.#connect();
      const { client } = connection;
      await inTransaction(client, async () => {
        await registerClient(client, random);
        for (let sale = 0; sale < sales; sale++) await sell(client, random);
        await correctPrice(client, random);
        this.counts.open++;
        try {
          await clock.sleep(seconds * 1000, this.#signal);
        } finally {
          this.counts.open--;
        }
      });
      this.counts.longTransaction++;
    } catch {
      // Rolled back: stopped, or cut off. The stream of other events notices a server that is away, and says so.
    }
  }

  async #connect(): Promise<SiteConnection> {
    const connection = await connectSite(this.#options.url);
    this.#connections.add(connection);
    return {
      ...connection,
      [Symbol.asyncDispose]: async () => {
        await connection[Symbol.asyncDispose]();
        this.#connections.delete(connection);
      },
    };
  }

  /** A statement that still waits some time after the end was asked for (a lock, a server that hangs) is not waited for. */
  async #cutWhenLate(over: AbortSignal): Promise<void> {
    if (!this.#signal.aborted) {
      await new Promise<void>((resolve) => this.#signal.addEventListener("abort", () => resolve(), { once: true }));
    }
    try {
      await this.#options.clock.sleep(PATIENCE_MS, over);
      for (const connection of this.#connections) connection.cut();
    } catch {
      // All have ended in time.
    }
  }
}

function reason(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === "") return thrown.errors.map(reason).join(", ");
  return thrown instanceof Error ? thrown.message : String(thrown);
}
