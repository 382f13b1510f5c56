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
/** As dlt's user finds them, and with what makes them fastest here. */
const DLT = [
  { name: "dlt_connectorx", backend: "connectorx", settings: "defaults" },
  { name: "dlt_connectorx_tuned", backend: "connectorx", settings: "tuned" },
  { name: "dlt_pyarrow", backend: "pyarrow", settings: "defaults" },
  { name: "dlt_pyarrow_tuned", backend: "pyarrow", settings: "tuned" },
] as const;
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
    for (const { name } of DLT) this.#skipped.set(name, found.missing);
  }

  /** @throws Error if a copy is not complete */
  async run(place: string): Promise<void> {
    const { url, rows, rawCopies } = this.#context;
    if (this.#python) for (const dlt of DLT) await this.#runDlt(this.#python, dlt, place);
    const raw = await rawCopies.measure(SALES.name);
    const sample = Math.min(SAMPLE, rows);
    const done = await measure("one-row-by-row.ts", copy, {
      args: [url, join(place, "row-by-row.duckdb"), String(sample)],
    });
    this.#check("row_by_row", done, await sumOfSales(url, sample));
    this.#add("row_by_row", { ...done, seconds: (done.seconds / sample) * rows, raw });
  }

  async #runDlt(python: Python, { name, backend, settings }: (typeof DLT)[number], place: string): Promise<void> {
    const { url, rawCopies } = this.#context;
    const raw = await rawCopies.measure(SALES.name);
    const folder = join(place, name);
    await mkdir(folder);
    const done = copy.parse(
      await runPython(python, "dlt_copy.py", [url, SALES.name, SUMMED, backend, settings, folder]),
    );
    await rm(folder, { recursive: true });
    this.#check(name, done, await sumOfSales(url));
    this.#add(name, { ...done, raw });
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
