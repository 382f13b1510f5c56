/**
 * The model-based test without an end: `npm run test:soak [-- --seed S] [--kind K] [--cases N] [--kills N]`.
 *
 * Says every ten seconds how many cases have been run and how many processes killed. Ctrl-C ends it after the case that is under way. A case that
 * fails is made smaller and printed, with the command that runs it again.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import fc from "fast-check";
import { alwaysEqual, engineOf, KINDS, type Kind } from "../support/model/properties.ts";
import { newTally, World, type Tally } from "../support/model/world.ts";

/** Cases of one kind in a row. */
const ROUND = 10;
/** Of eight rounds. */
const ROUNDS: readonly Kind[] = [
  "duckdb",
  "duckdb-killed",
  "duckdb",
  "snowflake",
  "duckdb",
  "duckdb-killed",
  "duckdb",
  "snowflake-killed",
];
/** Milliseconds. */
const TELL_EVERY = 10_000;

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    kind: { type: "string" },
    /** Of a case that failed: fast-check's name for it. */
    path: { type: "string" },
    cases: { type: "string" },
    kills: { type: "string" },
  },
});

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function kindOf(name: string | undefined): Kind | undefined {
  const kind = KINDS.find((one) => one === name);
  if (name !== undefined && !kind) throw new Error(`--kind is one of ${KINDS.join(", ")}`);
  return kind;
}

/** A server of its own, which ends with this process. */
async function startPostgres(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const given = process.env["TEST_PG_URL"];
  if (given) return { url: given, stop: async () => {} };
  const server = spawn(process.execPath, [join(import.meta.dirname, "../support/postgres-server.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
  });
  const exited = once(server, "exit");
  for await (const line of createInterface({ input: server.stdout })) {
    const answer = JSON.parse(line) as { url?: string; error?: string };
    if (answer.url === undefined) throw new Error(answer.error ?? "PostgreSQL gave no answer");
    const stop = async () => {
      server.stdin.end();
      await exited;
    };
    return { url: answer.url, stop };
  }
  throw new Error("The program that starts PostgreSQL ended");
}

const total = newTally();
let writes = 0;

function add(tally: Tally): void {
  for (const key of Object.keys(total) as (keyof Tally)[]) total[key] += tally[key];
}

const startedAt = performance.now();

function summary(): string {
  const { cases, batches, published, kills, drops, errors, verifications } = total;
  const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
  return `${cases} cases, ${kills} kills, no difference: ${batches} batches (${published} published), ${drops} connections dropped, ${errors} calls failed, ${verifications} verifications, ${writes} statements, ${minutes} min, seed ${seed}`;
}

const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const only = kindOf(values.kind);
const wanted = { cases: Number(values.cases ?? Infinity), kills: Number(values.kills ?? Infinity) };
const endless = values.cases === undefined && values.kills === undefined;
const enough = (): boolean =>
  !endless &&
  (values.cases === undefined || total.cases >= wanted.cases) &&
  (values.kills === undefined || total.kills >= wanted.kills);

let stopping = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (stopping) process.exit(130);
    stopping = true;
    say("stopping after this round; once more to stop at once");
  });
}

/** @returns whether all was equal */
async function runRound(serverUrl: string, kind: Kind, roundSeed: number): Promise<boolean> {
  await using world = await World.create({ serverUrl, engine: engineOf(kind) });
  const replay = values.path === undefined ? { numRuns: ROUND } : { path: values.path, endOnFailure: true };
  const found = await fc.check(alwaysEqual(kind, world), { seed: roundSeed, ...replay });
  add(world.tally);
  writes += world.writers.done;
  if (!found.failed) return true;
  say(fc.defaultReportMessage(found) ?? "");
  say(JSON.stringify(found.counterexample, null, 1));
  say(`Again: npm run test:soak -- --kind ${kind} --seed ${found.seed} --path ${found.counterexamplePath}`);
  return false;
}

const postgres = await startPostgres();
try {
  say(`seed ${seed}; Ctrl-C to stop`);
  let told = performance.now();
  for (let round = 0; !stopping && !enough(); round++) {
    const kind = only ?? ROUNDS[round % ROUNDS.length] ?? "duckdb";
    if (!(await runRound(postgres.url, kind, seed + round))) {
      process.exitCode = 1;
      break;
    }
    if (values.path !== undefined) break;
    if (performance.now() - told < TELL_EVERY) continue;
    told = performance.now();
    say(summary());
  }
  if (process.exitCode !== 1) say(summary());
} finally {
  await postgres.stop();
}
