/** What the demo's tests share: a folder of their own, a started database, a query. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Client, type QueryResultRow } from "pg";
import { startDemoDatabase, type DemoDatabase } from "../../../runtime/demo/database.ts";

export const never = new AbortController().signal;

export interface Folder extends AsyncDisposable {
  readonly path: string;
}

export async function temporaryFolder(): Promise<Folder> {
  const folder = await mkdtemp(path.join(tmpdir(), "novadrive-demo-"));
  return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

export async function startIn(folder: string, port?: number): Promise<DemoDatabase> {
  return await startDemoDatabase({ folder, port, log: () => {}, signal: never });
}

export async function query<Row extends QueryResultRow>(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

export interface Holder {
  readonly child: ChildProcess;
  readonly serverPid: number;
}

/** Another process that starts the demo's database in the folder and keeps it. */
export async function holdInAnotherProcess(folder: string): Promise<Holder> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.resolve("./hold-demo.ts")), folder], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  const [line] = (await Promise.race([
    once(child.stdout.setEncoding("utf8"), "data"),
    once(child, "close").then(() => Promise.reject(new Error(complaint))),
  ])) as [string];
  return { child, serverPid: Number(line) };
}

export async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits for something that comes about by itself; fails, by the test's time limit, if it does not. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}
