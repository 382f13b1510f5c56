/** What may happen in a case of the model-based test, and how fast-check makes it up. */
import fc from "fast-check";
import { REGIONS, TABLE_NAMES, type TableName } from "./tables.ts";

/** One statement of one of the sessions that write to the source. Whatever PostgreSQL refuses rolls back, as a program would. */
export type Write =
  | { readonly do: "begin" | "commit" | "rollback" | "prepare" | "savepoint" | "rollback-to"; readonly s: number }
  /** Takes a transaction number, and writes nothing. */
  | { readonly do: "burn"; readonly s: number }
  /** Of the transaction that was prepared first. */
  | { readonly do: "commit-prepared" | "rollback-prepared" }
  | {
      readonly do: "put" | "change" | "delete";
      readonly s: number;
      readonly t: TableName;
      readonly k: number;
      readonly v: number;
    }
  | { readonly do: "rekey"; readonly s: number; readonly t: TableName; readonly k: number; readonly to: number }
  | { readonly do: "bulk"; readonly s: number; readonly t: TableName; readonly v: number }
  | { readonly do: "truncate"; readonly s: number; readonly t: TableName }
  /** Changes a row, but not its cursor: what a cursor is documented to miss. */
  | { readonly do: "silent"; readonly s: number; readonly k: number; readonly v: number }
  /** Takes a row's cursor away. */
  | { readonly do: "no-cursor"; readonly s: number; readonly k: number; readonly v: number }
  | { readonly do: "freeze" | "rewrite" | "swap" | "analyze"; readonly t: TableName }
  | { readonly do: "detach" | "attach" | "truncate-part"; readonly region: number }
  | { readonly do: "restart-identity" };

/** Moments of a batch at which others write. */
export const MOMENTS = ["preflight", "fences", "shown", "read", "staged"] as const;
export type Moment = (typeof MOMENTS)[number];

export interface Batch {
  readonly do: "batch";
  /** `sweep`: the table by cursor is scanned once. `repair`: all tables are read whole and merged. */
  readonly how: "plain" | "sweep" | "repair" | "full-refresh";
  readonly during: readonly { readonly when: Moment; readonly write: Write }[];
  readonly fault?: BatchFault | undefined;
}

export interface BatchFault {
  /** At which point of the batch, counted from 0; nothing happens if it has fewer. */
  readonly at: number;
  /** `error`: the call fails. `drop`: all its connections to the source are ended. `kill`: its process is, by SIGKILL. */
  readonly what: "error" | "drop" | "kill";
  /** Milliseconds by which a kill comes later, while the batch goes on. */
  readonly delay: number;
}

export type Step = Write | Batch | { readonly do: "verify" };

export interface Case {
  readonly tables: readonly TableName[];
  readonly steps: readonly Step[];
}

export const SESSIONS = 3;
/** Points of a batch of one table, and of each further one: see `hooked`. */
const POINTS = { first: 17, more: 9 };

const s = fc.nat(SESSIONS - 1);
const k = fc.integer({ min: 1, max: 6 });
const v = fc.integer({ min: 1, max: 9 });
const region = fc.constantFrom(...REGIONS);

function writes(tables: readonly TableName[]): fc.Arbitrary<Write> {
  const t = fc.constantFrom(...tables);
  const row = { s, t, k, v };
  const all: fc.WeightedArbitrary<Write>[] = [
    { weight: 12, arbitrary: fc.record({ do: fc.constant("begin" as const), s }) },
    {
      weight: 9,
      arbitrary: fc.record({ do: fc.constantFrom("commit" as const, "commit" as const, "rollback" as const), s }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("prepare" as const), s }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constantFrom("commit-prepared" as const, "commit-prepared" as const, "rollback-prepared" as const),
      }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("savepoint" as const, "rollback-to" as const), s }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("burn" as const), s }) },
    { weight: 18, arbitrary: fc.record({ do: fc.constant("put" as const), ...row }) },
    { weight: 12, arbitrary: fc.record({ do: fc.constant("change" as const), ...row }) },
    { weight: 8, arbitrary: fc.record({ do: fc.constant("delete" as const), ...row }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant("rekey" as const), s, t, k, to: k }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("bulk" as const), s, t, v }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("truncate" as const), s, t }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom("freeze" as const, "rewrite" as const, "swap" as const, "analyze" as const),
        t,
      }),
    },
  ];
  if (tables.includes("pointed")) {
    all.push({
      weight: 3,
      arbitrary: fc.record({ do: fc.constantFrom("silent" as const, "no-cursor" as const), s, k, v }),
    });
  }
  if (tables.includes("parted")) {
    const what = fc.constantFrom("detach" as const, "attach" as const, "attach" as const, "truncate-part" as const);
    all.push({ weight: 5, arbitrary: fc.record({ do: what, region }) });
  }
  if (tables.includes("appended")) {
    all.push({ weight: 1, arbitrary: fc.record({ do: fc.constant("restart-identity" as const) }) });
  }
  return fc.oneof(...all);
}

export interface CaseOptions {
  /** Whether a batch's process may be killed. */
  readonly kills: boolean;
  /** Steps at the most, those within batches not counted. */
  readonly steps: number;
}

export function cases({ kills, steps }: CaseOptions): fc.Arbitrary<Case> {
  return fc.uniqueArray(fc.constantFrom(...TABLE_NAMES), { minLength: 1, maxLength: 2 }).chain((tables) => {
    const write = writes(tables);
    const during = fc.array(fc.record({ when: fc.constantFrom(...MOMENTS), write }), { maxLength: 4 });
    const what: readonly BatchFault["what"][] = kills ? ["kill"] : ["error", "drop"];
    const fault = fc.record({
      at: fc.nat(POINTS.first + POINTS.more * (tables.length - 1)),
      what: fc.constantFrom(...what),
      delay: fc.nat(12),
    });
    const how = fc.constantFrom<Batch["how"][]>(
      "plain",
      "plain",
      "plain",
      "plain",
      "plain",
      "plain",
      "sweep",
      "repair",
      "full-refresh",
    );
    const batch = fc.record({
      do: fc.constant("batch" as const),
      how,
      during,
      fault: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: kills ? 6 : 1, arbitrary: fault }),
    });
    const step = fc.oneof<fc.WeightedArbitrary<Step>[]>(
      { weight: 40, arbitrary: write },
      { weight: 5, arbitrary: batch },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("verify" as const) }) },
    );
    return fc.record({
      tables: fc.constant(tables),
      steps: fc.array(step, { minLength: 3, maxLength: steps, size: "max" }),
    });
  });
}
