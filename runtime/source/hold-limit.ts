/** How long a snapshot may be held: while it is, VACUUM removes no row version on the whole server that was deleted since. */
import type { Clock } from "../core/clock.ts";
import { NovaError } from "../core/errors.ts";

export interface HoldLimitOptions {
  /** 0 for no limit. */
  readonly seconds: number;
  readonly clock: Clock;
  /** Lets go of the snapshot. */
  readonly release: () => Promise<void>;
}

export class HoldLimit {
  readonly #over = new AbortController();
  readonly #ended = new AbortController();

  constructor({ seconds, clock, release }: HoldLimitOptions) {
    if (seconds === 0) return;
    clock.sleep(seconds * 1000, this.#ended.signal).then(
      () => {
        this.#over.abort(tooLong(seconds));
        // Readers at work are stopped by the signal.
        release().catch(() => {});
      },
      () => {},
    );
  }

  /** Aborted, with an error that says what can be done, when the time is over. */
  with(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([signal, this.#over.signal]) : this.#over.signal;
  }

  /** The snapshot is no longer held. */
  end(): void {
    this.#ended.abort();
  }
}

function tooLong(seconds: number): NovaError {
  return new NovaError(
    "SOURCE_SNAPSHOT_LIMIT",
    `The snapshot of the source was held for ${seconds} s, which is the limit, before it was done with; nothing was published.`,
    {
      remedy:
        "Read faster (NOVADRIVE_READERS, NOVADRIVE_ROWS_PER_SECOND), read less at a time (`novadrive run --table T`), leave tables of mode: full_refresh and first loads to the night, or raise NOVADRIVE_SNAPSHOT_LIMIT. A first load of a table of 256 MB or more with a key goes on where it stopped, as long as one look at each of its pages fits into the limit.",
      details: { seconds },
    },
  );
}
