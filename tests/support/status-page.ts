/** A running status page over a history of its own, for tests and screenshots. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import { pino } from "pino";
import { systemClock, type Clock } from "../../runtime/core/clock.ts";
import type { PasswordHash } from "../../runtime/config/password-hash.ts";
import { EventBus } from "../../runtime/core/events.ts";
import { Store } from "../../runtime/store/store.ts";
import type { Controls, ServerInfo } from "../../runtime/web/context.ts";
import { createServer, listen } from "../../runtime/web/server.ts";
import type { TlsFiles } from "../../runtime/web/tls.ts";

export interface StatusPageOptions {
  readonly controls?: Partial<Controls> | undefined;
  readonly info?: Partial<ServerInfo> | undefined;
  readonly clock?: Clock | undefined;
  readonly log?: FastifyBaseLogger | undefined;
  readonly passwordHash?: PasswordHash | undefined;
  readonly tls?: TlsFiles | undefined;
}

export interface StatusPage extends AsyncDisposable {
  readonly server: FastifyInstance;
  readonly store: Store;
  /** Subscribed by the store, as in the real program. */
  readonly events: EventBus;
  /** Listens on a free port, of the loopback address unless told otherwise. */
  listen(host?: string): Promise<string>;
}

export async function openStatusPage({
  controls,
  info,
  clock = systemClock,
  log = pino({ level: "silent" }),
  passwordHash,
  tls,
}: StatusPageOptions = {}): Promise<StatusPage> {
  const folder = mkdtempSync(join(tmpdir(), "novadrive-web-"));
  const store = Store.open({ folder });
  const events = new EventBus();
  events.subscribe((event) => store.record(event));
  const server = await createServer({
    store,
    events,
    clock,
    log,
    passwordHash,
    tls,
    controls: {
      runNow: async () => ({ batchId: 1 }),
      nextTick: () => undefined,
      running: () => undefined,
      ...controls,
    },
    info: {
      source: "postgres://loader@db.novadrive.example:5432/novadrive",
      warehouse: "duckdb:./warehouse.duckdb",
      schedule: "* * * * *",
      timezone: "America/Sao_Paulo",
      version: "0.1.0",
      ...info,
    },
  });
  return {
    server,
    store,
    events,
    listen: (host = "127.0.0.1") => listen(server, { host, port: 0 }),
    async [Symbol.asyncDispose]() {
      await server.close();
      store[Symbol.dispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
