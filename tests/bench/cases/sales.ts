/** One table of nine columns: everything, nothing, some changed rows found in each way, and a verification of what these have made. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MARGIN } from "../../../runtime/source/fence.ts";
import { SALES } from "../bench-table.ts";
import { Batches } from "../batches.ts";
import { environmentOf, type BenchCase, type BenchContext } from "../context.ts";
import { changeSales, createTable, putBackSales, writeElsewhere } from "../data.ts";
import { BY_CURSOR, BY_CURSOR_DEFERRED, BY_SCAN, writeProject } from "../project.ts";

export type SalesStep = "unchanged" | "cursor" | "cursor-deletes" | "scan" | "verify";

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

const PROJECTS = { scan: BY_SCAN, cursor: BY_CURSOR_DEFERRED, "cursor-deletes": BY_CURSOR } as const;
type Way = keyof typeof PROJECTS;
const WAYS: readonly Way[] = ["cursor", "cursor-deletes", "scan"];

export const salesProject = ({ folder }: BenchContext, by: Way): string => join(folder, `sales-${by}`);

/** So that several cases share them. */
export async function prepareSales(context: BenchContext): Promise<void> {
  for (const way of WAYS) await writeProject(salesProject(context, way), [SALES], PROJECTS[way]);
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
    const by = (way: Way) => ({
      environment: environmentOf({
        url,
        folder: context.folder,
        warehouse: warehouse.url,
        state: join(place, "state"),
        project: salesProject(context, way),
      }),
      raw,
    });
    const usual = WAYS.find((way) => steps.has(way)) ?? "scan";
    const first = await batches.batch("first_load", { ...by(usual), expect: { inserted: rows } });
    if (steps.has("unchanged")) await batches.batch("unchanged", { ...by(usual), first, expect: {}, looks: "at none" });
    if (steps.has("cursor")) {
      const { updated } = await changeSales(url, { rows, changed, deletes: false });
      await batches.batch(`changed_${changed}_by_cursor`, { ...by("cursor"), first, expect: { updated } });
    }
    // The first batch of each way does more than those that follow on another.
    if (steps.has("cursor-deletes")) {
      if (usual !== "cursor-deletes") {
        // Once the last changes lie behind the fence, they are not read again.
        await sleep((MARGIN + 1) * 1000);
        await batches.unmeasured(by("cursor-deletes").environment);
      }
      const expect = await changeSales(url, { rows, changed, deletes: true });
      await batches.batch(`changed_${changed}_by_cursor_with_deletes`, { ...by("cursor-deletes"), first, expect });
      await putBackSales(url, { rows, changed });
    }
    if (usual !== "scan") await batches.unmeasured(by("scan").environment);
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
