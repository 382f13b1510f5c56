/** The document that the bench prints with --json. */
import { z } from "zod";
import { round } from "./figures.ts";

const figure = z.looseObject({
  seconds: z.number(),
  ratio: z.number().optional(),
  runs: z.array(z.number()),
  of_first_load: z.number().optional(),
  process_seconds: z.number().optional(),
  peak_memory_mb: z.number().optional(),
});
const rawCopy = z.object({ seconds: z.number(), runs: z.array(z.number()) });
const oneTable = z.looseObject({ rows: z.number(), columns: z.number(), raw_copy: rawCopy, first_load: figure });
const smallTables = z.looseObject({
  rows_each: z.number(),
  first_load: figure,
  unchanged: figure,
  unchanged_level_1: figure,
});
const peer = z.looseObject({
  /** Why there are no figures. */
  skipped: z.string().optional(),
  seconds: z.number().optional(),
  ratio: z.number().optional(),
  peak_memory_mb: z.number().optional(),
  /** Our first load of the same run is faster than this by. */
  times_faster: z.number().optional(),
  /** Rows that were measured, where the seconds are extrapolated from them. */
  sample: z.number().optional(),
});

export const benchReport = z.looseObject({
  rows: z.number(),
  /** ISO 8601. */
  started: z.string(),
  command: z.string(),
  machine: z.object({
    cpus: z.number(),
    model: z.string(),
    memory_gb: z.number(),
    node: z.string(),
    postgresql: z.string(),
    duckdb: z.string(),
  }),
  /** At the beginning of each run, over the minute before. */
  load_average: z.array(z.number()),
  raw_copy: rawCopy.optional(),
  first_load: figure.optional(),
  changed_10000: figure.optional(),
  changed_10000_by_cursor: figure.optional(),
  changed_10000_by_cursor_with_deletes: figure.optional(),
  unchanged: figure.optional(),
  unchanged_level_1: figure.optional(),
  verify: figure.optional(),
  peak_memory_mb: z.number().optional(),
  staging: figure.optional(),
  wide: oneTable.optional(),
  tables_7: smallTables.optional(),
  tables_200: smallTables.optional(),
  big: oneTable.optional(),
  peers: z.record(z.string(), peer).optional(),
});

export type BenchReport = z.infer<typeof benchReport>;
export type PeerReport = z.infer<typeof peer>;

/** With how many times as long each peer took as the first load, by the medians of one run. */
export function comparePeers(report: BenchReport): BenchReport {
  const own = report.first_load?.seconds;
  if (!report.peers || own === undefined) return report;
  const peers = Object.entries(report.peers).map(([name, peer]) => [
    name,
    peer.seconds === undefined ? peer : { ...peer, times_faster: round(peer.seconds / own) },
  ]);
  return { ...report, peers: Object.fromEntries(peers) };
}
