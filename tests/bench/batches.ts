/** Whole batches and verifications, each in a process of its own: what they must have done, and what they took. */
import { z } from "zod";
import { formatSeconds } from "../../runtime/core/format.ts";
import { measure } from "./children.ts";
import { figure, type Figure, type Timing } from "./figures.ts";

const rows = z.object({ inserted: z.number(), updated: z.number(), deleted: z.number() });
const took = { seconds: z.number(), process_seconds: z.number(), peak_memory_mb: z.number() };
const batch = z.object({
  ...took,
  tables: z.number(),
  looked_at: z.number(),
  rows,
  usage: z.object({ statements: z.number(), bytes_staged: z.number(), rows_staged: z.number() }).optional(),
});
const verification = z.object({ ...took, equal: z.literal(true) });

type Batch = z.infer<typeof batch>;
type Measured = Timing & { readonly usage?: Batch["usage"] };

/** How often a batch is run again because something else, such as an ANALYZE of the server's own, came between it and the one before. */
const DISTURBED = 5;

export interface BatchOptions {
  readonly environment: Readonly<Record<string, string>>;
  /** Seconds of the raw COPY just before. */
  readonly raw?: number | undefined;
  /** Seconds of the first load, for another ratio. */
  readonly first?: number | undefined;
  /** What the batch has to do. */
  readonly expect: Partial<z.infer<typeof rows>>;
  /** Whether it has to look at every table, or at none. */
  readonly looks?: "at all" | "at none" | undefined;
}

export type Report = Figure & Partial<NonNullable<Batch["usage"]>>;

/** What several runs gave, by name. */
export class Batches {
  readonly #say: (text: string) => void;
  readonly #measured = new Map<string, Measured[]>();

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  /** @returns seconds @throws Error if it did not do what it has to do */
  async batch(name: string, options: BatchOptions): Promise<number> {
    const { environment, raw, first } = options;
    for (let attempt = 1; ; attempt += 1) {
      const measured = await measure("one-batch.ts", batch, { environment });
      const wrong = whatIsWrong(measured, options);
      if (wrong === undefined) {
        this.#add(name, { ...measured, raw, first });
        return measured.seconds;
      }
      if (options.looks !== "at none" || measured.looked_at === 0 || attempt === DISTURBED) {
        throw new Error(`${name}: ${wrong}`);
      }
      this.#say(`  ${name}: something else happened on the server; once more`);
    }
  }

  /** A batch that is part of the way, and not of what is measured. */
  async unmeasured(environment: BatchOptions["environment"]): Promise<void> {
    await measure("one-batch.ts", batch, { environment });
  }

  /** @throws Error if a table differs */
  async verification(name: string, { environment, raw, first }: Omit<BatchOptions, "expect" | "looks">): Promise<void> {
    const measured = await measure("one-verification.ts", verification, { environment });
    this.#add(name, { ...measured, raw, first });
  }

  #add(name: string, measured: Measured): void {
    this.#measured.set(name, [...(this.#measured.get(name) ?? []), measured]);
    const memory = Math.round(measured.peak_memory_mb ?? 0);
    this.#say(`  ${name}: ${formatSeconds(measured.seconds)}, peak ${memory} MB`);
  }

  report(): Readonly<Record<string, Report>> {
    return Object.fromEntries(
      [...this.#measured].map(([name, measured]) => [name, { ...figure(measured), ...measured.at(-1)?.usage }]),
    );
  }

  /** The highest of all runs. */
  get peakMemoryMb(): number {
    const all = [...this.#measured.values()].flat();
    return Math.round(Math.max(...all.map(({ peak_memory_mb }) => peak_memory_mb ?? 0)));
  }
}

function whatIsWrong(measured: Batch, { expect, looks }: BatchOptions): string | undefined {
  const { tables, looked_at } = measured;
  if (looks !== undefined && looked_at !== (looks === "at all" ? tables : 0)) {
    return `looked at ${looked_at} of ${tables} tables, not ${looks}`;
  }
  for (const kind of rows.keyof().options) {
    const [found, wanted] = [measured.rows[kind], expect[kind] ?? 0];
    if (found !== wanted) return `${found} rows ${kind}, not ${wanted}`;
  }
  return undefined;
}
