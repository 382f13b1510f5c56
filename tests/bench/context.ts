/** What every case of the bench is given. */
import { join } from "node:path";
import { formatSeconds } from "../../runtime/core/format.ts";
import { z } from "zod";
import { measure } from "./children.ts";
import { median, round } from "./figures.ts";

export interface BenchContext {
  /** Of PostgreSQL, as a superuser. */
  readonly url: string;
  /** For what all runs share. */
  readonly folder: string;
  /** Of the sales. */
  readonly rows: number;
  /** Rows that are changed before a batch. */
  readonly changed: number;
  /** Small tables. */
  readonly tables: number;
  readonly rawCopies: RawCopies;
  readonly say: (text: string) => void;
}

/** Some of what is measured, once in each run. */
export interface BenchCase {
  /** Makes its data. */
  prepare(): Promise<void>;
  /** @param place an empty folder, which is removed afterwards */
  run(place: string): Promise<void>;
  /** Its part of the report. */
  report(): Readonly<Record<string, unknown>>;
}

/** The yardstick: one COPY … TO STDOUT of a whole table, read and thrown away. */
export class RawCopies {
  readonly #url: string;
  readonly #say: BenchContext["say"];
  readonly #seconds = new Map<string, number[]>();

  constructor(url: string, say: BenchContext["say"]) {
    this.#url = url;
    this.#say = say;
  }

  /** @returns seconds */
  async measure(table: string): Promise<number> {
    const { seconds } = await measure("raw-copy.ts", z.object({ seconds: z.number() }), { args: [this.#url, table] });
    this.#seconds.set(table, [...(this.#seconds.get(table) ?? []), seconds]);
    this.#say(`  raw COPY of ${table}: ${formatSeconds(seconds)}`);
    return seconds;
  }

  report(table: string) {
    const seconds = this.#seconds.get(table) ?? [];
    return { seconds: round(median(seconds)), runs: seconds.map(round) };
  }
}

/** Settings of the runtime. Compiled code is kept from process to process, as `novadrive` itself does. */
export function environmentOf(settings: {
  readonly url: string;
  readonly folder: string;
  readonly warehouse: string;
  readonly state: string;
  readonly project: string;
}): Readonly<Record<string, string>> {
  return {
    NOVADRIVE_SOURCE_URL: settings.url,
    NOVADRIVE_WAREHOUSE_URL: settings.warehouse,
    NOVADRIVE_STATE_DIR: settings.state,
    NOVADRIVE_PROJECT_DIR: settings.project,
    NODE_COMPILE_CACHE: join(settings.folder, "compiled"),
  };
}
