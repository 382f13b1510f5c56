/** A PostgreSQL server in a temporary folder of its own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../runtime/core/clock.ts";
import { locateBinaries } from "../../runtime/demo/binaries.ts";
import { claimable } from "../../runtime/demo/free-port.ts";
import { initialise, start } from "../../runtime/demo/postgres-server.ts";
import { chooseLauncher } from "../../runtime/demo/service-account.ts";

const PASSWORD = "hush";

export interface OwnPostgres {
  /** Of the superuser. */
  readonly url: string;
  /** Stops the server and removes all of it. */
  readonly stop: () => Promise<void>;
}

/** @param settings for postgresql.conf */
export async function startOwnPostgres(settings: Readonly<Record<string, string>>): Promise<OwnPostgres> {
  const folder = await mkdtemp(join(tmpdir(), "novadrive-test-postgres-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const binaries = await locateBinaries();
    const dataFolder = join(folder, "postgres");
    const launcher = await chooseLauncher({ folder, dataFolder, program: binaries.postgres });
    const logFile = join(folder, "postgres.log");
    const place = { dataFolder, logFile, binaries, launcher, settings, clock: systemClock };
    const signal = new AbortController().signal;
    await initialise({ ...place, superuser: "postgres", password: PASSWORD, signal });
    const port = await claimable(0);
    if (port === undefined) throw new Error("No free port on 127.0.0.1");
    const server = await start(place, port, signal);
    const stop = async () => {
      await server.stop();
      await remove();
    };
    return { url: `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`, stop };
  } catch (thrown) {
    await remove();
    throw thrown;
  }
}
