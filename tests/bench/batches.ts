/** Three batches in a row into an empty warehouse (everything, some changed rows, nothing), and a verification of what they have made. */
import { z } from "zod";
import { formatSeconds } from "../../runtime/core/format.ts";
import { measure } from "./children.ts";
import { changeSales } from "./data.ts";
import { figure, type Timing } from "./figures.ts";

const counts = z.object({ inserted: z.number(), updated: z.number(), deleted: z.number() });
const batch = z.object({
  seconds: z.number(),
  peak_memory_mb: z.number(),
  table: counts,
  usage: z.object({ statements: z.number(), bytes_staged: z.number(), rows_staged: z.number() }).optional(),
});

const verification = z.object({ equal: z.literal(true), seconds: z.number(), peak_memory_mb: z.number() });

type Measured = z.infer<typeof batch> & Timing;
type Verified = z.infer<typeof verification> & Timing;
const KINDS = ["first", "changed", "unchanged"] as const;

export interface BatchesOptions {
  readonly url: string;
  readonly rows: number;
  readonly changed: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Seconds of the raw COPY just before. */
  readonly raw: number;
  readonly say: (text: string) => void;
}

/** What several runs of the three batches gave. */
export class Batches {
  readonly #measured: Record<(typeof KINDS)[number], Measured[]> = { first: [], changed: [], unchanged: [] };

  readonly #verified: Verified[] = [];

  /** @throws Error if a batch did not do what it should have done */
  async run({ url, rows, changed, environment, raw, say }: BatchesOptions): Promise<void> {
    const one = async (kind: (typeof KINDS)[number], expected: Partial<z.infer<typeof counts>>) => {
      const measured = await measure("one-batch.ts", batch, { environment });
      for (const [key, value] of Object.entries(expected)) {
        const found = measured.table[counts.keyof().parse(key)];
        if (found !== value) throw new Error(`${kind}: ${key} is ${found}, not ${value}`);
      }
      this.#measured[kind].push({ ...measured, raw });
      say(`  ${kind}: ${formatSeconds(measured.seconds)}, peak ${Math.round(measured.peak_memory_mb)} MB`);
    };
    await one("first", { inserted: rows });
    await changeSales(url, rows, changed);
    await one("changed", { updated: Math.min(changed, rows), inserted: 0, deleted: 0 });
    await one("unchanged", { updated: 0, inserted: 0, deleted: 0 });
    const verified = await measure("one-verification.ts", verification, { environment });
    this.#verified.push({ ...verified, raw });
    say(`  verify: ${formatSeconds(verified.seconds)}, peak ${Math.round(verified.peak_memory_mb)} MB`);
  }

  report(changed: number) {
    const { first, changed: some, unchanged } = this.#measured;
    return {
      first_load: reported(first),
      [`changed_${changed}`]: reported(some),
      unchanged: reported(unchanged),
      verify: {
        ...figure(this.#verified),
        peak_memory_mb: Math.round(Math.max(...this.#verified.map(({ peak_memory_mb }) => peak_memory_mb))),
      },
    };
  }

  /** The highest of all runs. */
  get peakMemoryMb(): number {
    const all = Object.values(this.#measured).flat();
    return Math.round(Math.max(...all.map(({ peak_memory_mb }) => peak_memory_mb)));
  }
}

function reported(measured: readonly Measured[]) {
  return { ...figure(measured), ...measured.at(-1)?.usage };
}
