import { cp, mkdir } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../../runtime/core/clock.ts";
import { locateBinaries, type PostgresBinaries } from "../../../runtime/demo/binaries.ts";
import { claimable } from "../../../runtime/demo/free-port.ts";
import { initialise, start, type ServerPlace } from "../../../runtime/demo/postgres-server.ts";
import { chooseLauncher } from "../../../runtime/demo/service-account.ts";
import { never, query, temporaryFolder } from "./support.ts";

const rootOnLinux = process.platform === "linux" && process.getuid?.() === 0;

test.runIf(rootOnLinux)(
  "root runs a server although programs and data lie below a folder that is closed to others",
  async () => {
    await using closed = await temporaryFolder();
    const installed = await locateBinaries();
    const native = path.join(closed.path, "native");
    await cp(path.resolve(installed.postgres, "../.."), native, { recursive: true, verbatimSymlinks: true });
    const moved = (file: string): string => path.join(native, "bin", path.basename(file));
    const binaries: PostgresBinaries = {
      major: installed.major,
      initdb: moved(installed.initdb),
      pgCtl: moved(installed.pgCtl),
      postgres: moved(installed.postgres),
    };

    const folder = path.join(closed.path, "demo");
    await mkdir(folder);
    const dataFolder = path.join(folder, "postgres");
    const launcher = await chooseLauncher({ folder, dataFolder, program: binaries.postgres });
    const place: ServerPlace = {
      dataFolder,
      logFile: path.join(folder, "log"),
      binaries,
      launcher,
      clock: systemClock,
    };
    await initialise({ ...place, superuser: "postgres", password: "closed", signal: never });
    const port = (await claimable(0)) ?? 0;
    const server = await start(place, port, never);
    try {
      const url = `postgres://postgres:closed@127.0.0.1:${port}/postgres`;
      expect(await query(url, "SELECT count(*)::integer > 100 AS zones FROM pg_timezone_names")).toEqual([
        { zones: true },
      ]);
    } finally {
      await server.stop();
    }
  },
);
