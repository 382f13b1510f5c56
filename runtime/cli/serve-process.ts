/** The process that goes on: batches on the schedule, their history, and the status page. */
import { redactUrl } from "../config/config.ts";
import type { Config } from "../config/options.ts";
import { parsePasswordHash } from "../config/password-hash.ts";
import { systemClock } from "../core/clock.ts";
import { EventBus } from "../core/events.ts";
import type { Log } from "../core/log.ts";
import { runBatchInProcess, verifyInProcess } from "../schedule/batch-process.ts";
import { Scheduler } from "../schedule/scheduler.ts";
import { VerifySchedule } from "../schedule/verify-schedule.ts";
import { Store } from "../store/store.ts";
import { checkExposure } from "../web/auth/exposure.ts";
import { createServer, listen, type ServerOptions } from "../web/server.ts";
import { readTls } from "../web/tls.ts";
import { logEvents } from "./output/log-events.ts";
import { release, version } from "./version.ts";

export interface ServeOptions {
  readonly config: Config;
  readonly log: Log;
  /** Aborted when the process is to end. */
  readonly signal: AbortSignal;
  /** Whether to run a batch at once rather than wait for the schedule. */
  readonly runAtStart: boolean;
  /** Told the page's address once it listens. */
  readonly onReady: (address: string) => void;
}

/**
 * Resolves when `signal` was aborted and everything has come to rest.
 *
 * @throws NovaError UI_UNPROTECTED, CONFIG_INVALID, PORT_IN_USE, FOLDER_NOT_WRITABLE, STORE_UNREADABLE
 */
export async function serveUntilStopped({ config, log, signal, runAtStart, onReady }: ServeOptions): Promise<void> {
  const page = pageSettings(config, (message) => log.warn(message));
  // The process of a batch has no use for them.
  const batchConfig = { ...config, uiPasswordHash: undefined, uiTlsKey: undefined };
  using store = Store.open({ folder: config.stateDir });
  const events = new EventBus();
  logEvents(events, log);
  const scheduler = new Scheduler({
    schedule: config.schedule,
    timezone: config.timezone,
    events,
    clock: systemClock,
    log,
    claimTick: (tick) => store.claimTick({ schedule: config.schedule, tick }),
    runBatch: (run) => runBatchInProcess({ config: batchConfig, store, events, ...run }),
  });
  const verifications = new VerifySchedule({
    schedule: config.verifySchedule,
    timezone: config.timezone,
    clock: systemClock,
    log,
    claimTick: (tick) => store.claimTick({ schedule: `verify ${config.verifySchedule}`, tick }),
    verify: (verifySignal) => verifyInProcess({ config: batchConfig, signal: verifySignal }),
  });
  try {
    const info = {
      source: redactUrl(config.sourceUrl ?? ""),
      warehouse: redactUrl(config.warehouseUrl),
      schedule: config.schedule,
      timezone: config.timezone,
      version: version(),
      release: release(),
    };
    await using server = await createServer({
      store,
      events,
      controls: scheduler,
      info,
      log,
      clock: systemClock,
      ...page,
    });
    onReady(await listen(server, { host: config.host, port: config.port }));
    if (runAtStart) scheduler.runSoon();
    await aborted(signal);
    log.info("stopping");
    await Promise.all([verifications.stop(), scheduler.stop()]);
  } finally {
    await Promise.all([verifications.stop(), scheduler.stop()]);
  }
}

/** @throws NovaError UI_UNPROTECTED if the page would be open to a network */
export function requireProtection({ host, uiPasswordHash, uiTlsCert, uiInsecureHttp: insecureHttp }: Config): void {
  checkExposure({ host, login: uiPasswordHash !== undefined, tls: uiTlsCert !== undefined, insecureHttp });
}

/** @throws NovaError UI_UNPROTECTED, CONFIG_INVALID */
export function pageSettings(
  config: Config,
  warn: (message: string) => void,
): Pick<ServerOptions, "passwordHash" | "tls"> {
  const { uiPasswordHash, uiTlsCert: certFile, uiTlsKey: key } = config;
  requireProtection(config);
  const tls = readTls({ certFile, key, now: systemClock.now(), warn });
  if (config.uiInsecureHttp && tls === undefined) {
    warn("NOVADRIVE_UI_INSECURE_HTTP is set: whoever is on the way can read the password of the status page");
  }
  if (uiPasswordHash === undefined) return { tls };
  const passwordHash = parsePasswordHash(uiPasswordHash);
  if ("problem" in passwordHash) throw new Error("The login's hash was used before it was checked.");
  return { tls, passwordHash };
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
