/** What is tried over and over: kinds of cases, each with its warehouse and what may go wrong. */
import fc from "fast-check";
import { cases, type Case } from "./steps.ts";
import type { World, WorldOptions } from "./world.ts";

export const KINDS = ["duckdb", "duckdb-killed", "snowflake", "snowflake-killed"] as const;
export type Kind = (typeof KINDS)[number];

/** Steps of a case at the most. A batch in a process of its own costs as much as ten without. */
const STEPS = { kept: 40, killed: 30 };

export function engineOf(kind: Kind): WorldOptions["engine"] {
  return kind === "duckdb" || kind === "duckdb-killed" ? "duckdb" : "snowflake";
}

export function casesOf(kind: Kind): fc.Arbitrary<Case> {
  const kills = kind === "duckdb-killed" || kind === "snowflake-killed";
  return cases({ kills, steps: kills ? STEPS.killed : STEPS.kept });
}

/** The stage tables equal the source after each batch of any case. */
export function alwaysEqual(kind: Kind, world: World): fc.IAsyncProperty<[Case]> {
  return fc.asyncProperty(casesOf(kind), (one) => world.run(one));
}
