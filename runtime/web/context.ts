/** What the server is given, and what every page knows. */
import type { Clock } from "../core/clock.ts";
import type { EventBus } from "../core/events.ts";
import type { Store } from "../store/store.ts";

/** What the page may set going. */
export interface Controls {
  /** Starts a batch. @throws NovaError BATCH_RUNNING */
  runNow(): Promise<{ readonly batchId: number }>;
  /** When the schedule starts the next batch; undefined without a schedule. */
  nextTick(): Date | undefined;
  /** The batch that this process runs. */
  running(): number | undefined;
}

/** Facts for the head of the page; none may hold a secret. */
export interface ServerInfo {
  /** The source's URL, without its password. */
  readonly source: string;
  /** The warehouse's URL, without secrets. */
  readonly warehouse: string;
  /** Cron expression; empty if batches start only by hand. */
  readonly schedule: string;
  /** IANA name of the zone that the schedule and the page use. */
  readonly timezone: string;
  readonly version: string;
  /** What the deployed files go by, where they were deployed. */
  readonly release?: string | undefined;
}

export interface WebContext {
  readonly store: Store;
  readonly events: EventBus;
  readonly controls: Controls;
  readonly info: ServerInfo;
  readonly clock: Clock;
}
