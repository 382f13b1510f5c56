/** The same first load by others: dlt with two of its backends, and a program that inserts row by row. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { formatSeconds } from "../../../runtime/core/format.ts";
import { SALES } from "../bench-table.ts";
import { measure } from "../children.ts";
import type { BenchCase, BenchContext } from "../context.ts";
import { sumOfSales } from "../data.ts";
import { figure, type Timing } from "../figures.ts";
import { installPython, runPython, type Python } from "../peers/python.ts";

const copy = z.object({
  seconds: z.number(),
  rows: z.number(),
  sum: z.string(),
  peak_memory_mb: z.number(),
  types: z.record(z.string(), z.string()).optional(),
});

type Copy = z.infer<typeof copy>;

/** Rows that are inserted one by one: enough for the seconds of a row not to change with more. */
const SAMPLE = 20_000;
const DLT_BACKENDS = ["connectorx", "pyarrow"] as const;
const SUMMED = "valor_pago";

export class Peers implements BenchCase {
  readonly #context: BenchContext;
  readonly #measured = new Map<string, Timing[]>();
  readonly #skipped = new Map<string, string>();
  #python: Python | undefined;

  constructor(context: BenchContext) {
    this.#context = context;
  }

  async prepare(): Promise<void> {
    const { say } = this.#context;
    say("installing what the peers need …");
    const found = await installPython();
    if (!("missing" in found)) {
      this.#python = found;
      return;
    }
    say(`  SKIPPED: dlt: ${found.missing}`);
    for (const backend of DLT_BACKENDS) this.#skipped.set(`dlt_${backend}`, found.missing);
  }

  /** @throws Error if a copy is not complete */
  async run(place: string): Promise<void> {
    const { url, rows, rawCopies } = this.#context;
    if (this.#python) for (const backend of DLT_BACKENDS) await this.#runDlt(this.#python, backend, place);
    const raw = await rawCopies.measure(SALES.name);
    const sample = Math.min(SAMPLE, rows);
    const done = await measure("one-row-by-row.ts", copy, {
      args: [url, join(place, "row-by-row.duckdb"), String(sample)],
    });
    this.#check("row_by_row", done, await sumOfSales(url, sample));
    this.#add("row_by_row", { ...done, seconds: (done.seconds / sample) * rows, raw });
  }

  async #runDlt(python: Python, backend: (typeof DLT_BACKENDS)[number], place: string): Promise<void> {
    const { url, rawCopies } = this.#context;
    const raw = await rawCopies.measure(SALES.name);
    const folder = join(place, `dlt-${backend}`);
    await mkdir(folder);
    const done = copy.parse(await runPython(python, "dlt_copy.py", [url, SALES.name, SUMMED, backend, folder]));
    await rm(folder, { recursive: true });
    this.#check(`dlt_${backend}`, done, await sumOfSales(url));
    this.#add(`dlt_${backend}`, { ...done, raw });
  }

  #check(name: string, { rows, sum }: Copy, expected: Awaited<ReturnType<typeof sumOfSales>>): void {
    if (rows === expected.rows && sum === expected.price) return;
    throw new Error(`${name}: ${rows} rows with ${sum}, not ${expected.rows} with ${expected.price}`);
  }

  #add(name: string, measured: Timing): void {
    this.#measured.set(name, [...(this.#measured.get(name) ?? []), measured]);
    const memory = Math.round(measured.peak_memory_mb ?? 0);
    this.#context.say(`  ${name}: ${formatSeconds(measured.seconds)}, peak ${memory} MB`);
  }

  report() {
    const { rows } = this.#context;
    const measured = [...this.#measured].map(([name, timings]) => [
      name,
      {
        ...figure(timings),
        ...(name === "row_by_row" && { sample: Math.min(SAMPLE, rows) }),
        ...(name !== "row_by_row" && { packages: this.#python?.packages }),
      },
    ]);
    const skipped = [...this.#skipped].map(([name, reason]) => [name, { skipped: reason }]);
    return { peers: Object.fromEntries([...measured, ...skipped]) };
  }
}
