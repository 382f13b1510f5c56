/** One table of nine columns: everything, nothing, some changed rows found in both ways, and a verification of what these have made. */
import { join } from "node:path";
import { SALES } from "../bench-table.ts";
import { Batches } from "../batches.ts";
import { environmentOf, type BenchCase, type BenchContext } from "../context.ts";
import { changeSales, createTable, putBackSales, writeElsewhere } from "../data.ts";
import { BY_CURSOR, BY_SCAN, writeProject } from "../project.ts";

export type SalesStep = "unchanged" | "cursor" | "scan" | "verify";

/** Where the tables of one run go. */
export interface OpenWarehouse extends AsyncDisposable {
  readonly url: string;
}

export interface SalesOptions {
  readonly context: BenchContext;
  readonly steps: ReadonlySet<SalesStep>;
  /** @param place folder of this run */
  readonly openWarehouse: (place: string) => Promise<OpenWarehouse>;
}

export const duckdbAt = async (place: string): Promise<OpenWarehouse> => ({
  url: `duckdb:${join(place, "warehouse.duckdb")}`,
  [Symbol.asyncDispose]: async () => {},
});

export const salesProject = ({ folder }: BenchContext, by: "scan" | "cursor"): string => join(folder, `sales-${by}`);

/** So that several cases share them. */
export async function prepareSales(context: BenchContext): Promise<void> {
  await writeProject(salesProject(context, "scan"), [SALES], BY_SCAN);
  await writeProject(salesProject(context, "cursor"), [SALES], BY_CURSOR);
}

export class Sales implements BenchCase {
  readonly #options: SalesOptions;
  readonly #batches: Batches;

  constructor(options: SalesOptions) {
    this.#options = options;
    this.#batches = new Batches(options.context.say);
  }

  async prepare(): Promise<void> {
    const { context } = this.#options;
    await prepareSales(context);
  }

  async run(place: string): Promise<void> {
    const { context, steps, openWarehouse } = this.#options;
    const { url, rows, changed, rawCopies } = context;
    const batches = this.#batches;
    const raw = await rawCopies.measure(SALES.name);
    await using warehouse = await openWarehouse(place);
    const by = (way: "scan" | "cursor") => ({
      environment: environmentOf({
        url,
        folder: context.folder,
        warehouse: warehouse.url,
        state: join(place, "state"),
        project: salesProject(context, way),
      }),
      raw,
    });
    const usual = steps.has("cursor") ? "cursor" : "scan";
    const first = await batches.batch("first_load", { ...by(usual), expect: { inserted: rows } });
    if (steps.has("unchanged")) await batches.batch("unchanged", { ...by(usual), first, expect: {}, looks: "at none" });
    if (steps.has("cursor")) {
      const { updated } = await changeSales(url, { rows, changed, deletes: false });
      await batches.batch(`changed_${changed}_by_cursor`, { ...by("cursor"), first, expect: { updated } });
      // From here on the table is scanned: the first such batch does more than those that follow on another.
      await batches.unmeasured(by("scan").environment);
    }
    if (steps.has("unchanged")) {
      await writeElsewhere(url);
      await batches.batch("unchanged_level_1", { ...by("scan"), first, expect: {}, looks: "at all" });
    }
    if (steps.has("scan")) {
      const expect = await changeSales(url, { rows, changed, deletes: true });
      await batches.batch(`changed_${changed}`, { ...by("scan"), first, expect });
    }
    if (steps.has("verify")) await batches.verification("verify", { ...by("scan"), first });
    if (steps.has("scan")) await putBackSales(url, { rows, changed });
  }

  report() {
    return { ...this.#batches.report(), peak_memory_mb: this.#batches.peakMemoryMb };
  }
}

/** The table itself; made once, whichever cases read it. */
export async function createSales({ url, rows }: BenchContext): Promise<void> {
  await createTable(url, SALES, rows);
}
