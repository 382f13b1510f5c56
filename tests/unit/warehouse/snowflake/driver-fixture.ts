/** The real driver against a server of the test's own. */
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, vi } from "vitest";
import { systemClock, type Clock } from "../../../../runtime/core/clock.ts";
import { openSessions } from "../../../../runtime/warehouse/snowflake/sessions.ts";
import type {
  SnowflakeSessions,
  Statement,
  StatementResult,
} from "../../../../runtime/warehouse/snowflake/statement.ts";
import { UsageMeter } from "../../../../runtime/warehouse/snowflake/usage.ts";
import { parseSnowflakeUrl, type SnowflakeTarget } from "../../../../runtime/warehouse/snowflake/warehouse-url.ts";
import { protocolServer, type ProtocolServer } from "./protocol-server.ts";

const folder = mkdtempSync(join(tmpdir(), "novadrive-key-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
export const KEY_FILE = join(folder, "rsa_key.p8");
export const KEY = generateKeyPairSync("rsa", { modulusLength: 2048 })
  .privateKey.export({ format: "pem", type: "pkcs8" })
  .toString();
writeFileSync(KEY_FILE, KEY, { mode: 0o600 });

function targetOf({ port }: Pick<ProtocolServer, "port">, keyFile: string = KEY_FILE): SnowflakeTarget {
  return parseSnowflakeUrl(
    `snowflake://myorg-acct/NOVADRIVE?warehouse=DEFAULT_WH&role=RUNTIME&user=svc&private_key=${keyFile}` +
      `&host=127.0.0.1&port=${port}&protocol=http`,
  );
}

export interface OpenOptions {
  readonly parallel?: number;
  readonly clock?: Clock;
  readonly warnings?: string[];
  readonly usage?: UsageMeter;
  readonly keyFile?: string;
}

export function open(server: Pick<ProtocolServer, "port">, options: OpenOptions = {}): SnowflakeSessions {
  const { parallel, clock = systemClock, warnings = [], usage = new UsageMeter(clock), keyFile } = options;
  return openSessions({
    target: targetOf(server, keyFile),
    warn: (message) => warnings.push(message),
    usage,
    clock,
    parallel,
  });
}

export async function withServer(work: (server: ProtocolServer) => Promise<void>): Promise<void> {
  await using server = await protocolServer();
  await work(server);
}

export const statement = (sql: string, rest: Partial<Statement> = {}): Statement => ({
  sql,
  step: "state",
  metered: true,
  ...rest,
});

/** One statement in a session of its own. */
export async function runOn(
  server: ProtocolServer,
  sql: string,
  rest: Partial<Statement> = {},
): Promise<StatementResult> {
  await using sessions = open(server);
  return await sessions.use((session) => session.run(statement(sql, rest)));
}

/** The driver waits seconds between its attempts: a thousandth of that is enough here. Undone by vi.restoreAllMocks. */
export function hurryDriver(): void {
  const real = globalThis.setTimeout;
  const hurried = (work: () => void, milliseconds = 0) =>
    real(work, milliseconds < 60_000 ? milliseconds / 1000 : milliseconds);
  // The driver gives it no further arguments, and never asks for the promise.
  vi.spyOn(globalThis, "setTimeout").mockImplementation(hurried as typeof setTimeout);
}
