/**
 * One PostgreSQL for the whole run, started when the first test file asks for it.
 *
 * A port of this process is the broker: whoever connects is sent where the server is. A run without a database test starts no server.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    readonly postgresBroker: number;
  }
}

let server: ChildProcess | undefined;
let broker: Server | undefined;

export async function setup(project: TestProject): Promise<void> {
  let address: Promise<string> | undefined;

  const start = async (): Promise<string> => {
    const given = process.env["TEST_PG_URL"];
    if (given) return JSON.stringify({ url: given });
    // Detached: Ctrl-C in the terminal reaches vitest only, whose end then reaches the server as the end of its standard input.
    server = spawn(process.execPath, [join(import.meta.dirname, "postgres-server.ts")], {
      stdio: ["pipe", "pipe", "inherit"],
      detached: true,
    });
    for await (const line of createInterface({ input: server.stdout ?? process.stdin })) return line;
    return JSON.stringify({ error: `The program that starts PostgreSQL ended with status ${server.exitCode}` });
  };

  broker = createServer((socket) => {
    socket.on("error", () => {});
    address ??= start();
    address.then(
      (line) => socket.end(line),
      (thrown: unknown) => socket.end(JSON.stringify({ error: String(thrown) })),
    );
  });
  broker.listen(0, "127.0.0.1");
  await once(broker, "listening");
  const listening = broker.address();
  if (listening === null || typeof listening === "string") throw new Error("No port for the broker of PostgreSQL");
  project.provide("postgresBroker", listening.port);
}

export async function teardown(): Promise<void> {
  broker?.close();
  if (!server || server.exitCode !== null) return;
  const ended = once(server, "exit");
  server.stdin?.end();
  await ended;
}
