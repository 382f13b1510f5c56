/** The demo's source: a real PostgreSQL in one folder, started where it stopped, with an owner and a loader who may only read. */
import { chown, stat } from "node:fs/promises";
import path from "node:path";
import { Client } from "pg";
import { systemClock, type Clock } from "../core/clock.ts";
import { NovaError } from "../core/errors.ts";
import { identifier, literal } from "../core/sql.ts";
import { locateBinaries } from "./binaries.ts";
import { newCredentials, readCredentials, writeCredentials, type Credentials, type Urls } from "./credentials.ts";
import { lockFolder, notWritable } from "./folder-lock.ts";
import { claimable } from "./free-port.ts";
import type { DemoLog } from "./log.ts";
import {
  dataOwner,
  dataVersion,
  initialise,
  start,
  stopLeftover,
  type RunningServer,
  type ServerPlace,
} from "./postgres-server.ts";
import { chooseLauncher } from "./service-account.ts";

const SUPERUSER = "postgres";
const DATABASE = "novadrive";
const OWNER = "novadrive";
const LOADER = "novadrive_loader";
const PORT_ATTEMPTS = 3;

export interface DemoDatabaseOptions {
  /** Holds everything; made if need be; can be deleted when the demo has stopped. */
  readonly folder: string;
  /** Port on 127.0.0.1; without it the port of the last start, else a free one. */
  readonly port?: number | undefined;
  readonly log: DemoLog;
  /** Aborts the start only; a started database is stopped by `stop`. */
  readonly signal: AbortSignal;
  readonly clock?: Clock | undefined;
}

export interface DemoDatabase extends AsyncDisposable {
  /** For the loader: SELECT on every table and sequence, pg_read_all_stats, nothing else. Holds the password. */
  readonly url: string;
  /** For the sales site: owner of the database and its tables, no superuser. Holds the password. */
  readonly ownerUrl: string;
  readonly port: number;
  /** The server's process. */
  readonly pid: number;
  /** Resolves when the server has ended, for whatever reason: `stop`, or a crash. */
  readonly ended: Promise<void>;
  /** Ends clients, rolls back, shuts down and unlocks the folder; no process is left. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Starts the demo's PostgreSQL; the first start makes it, later ones go on where it was. A server that a killed demo left behind is stopped
 * first and started anew, so that it always runs with the settings of this version.
 *
 * @throws NovaError FOLDER_NOT_WRITABLE, DEMO_RUNNING, DEMO_FOLDER_INVALID, PORT_IN_USE (only for a port that was asked for),
 *   DEMO_SERVER_FAILED
 */
export async function startDemoDatabase(options: DemoDatabaseOptions): Promise<DemoDatabase> {
  const folder = path.resolve(options.folder);
  options.signal.throwIfAborted();
  try {
    return await startInFolder({ ...options, folder });
  } catch (thrown) {
    const fromFileSystem = thrown instanceof Error && "syscall" in thrown && "path" in thrown;
    throw fromFileSystem ? notWritable(folder, thrown) : thrown;
  }
}

async function startInFolder(options: DemoDatabaseOptions): Promise<DemoDatabase> {
  const { folder, log, signal, clock = systemClock } = options;
  await using resources = new AsyncDisposableStack();
  resources.use(await lockFolder(folder));

  const binaries = await locateBinaries();
  const dataFolder = path.join(folder, "postgres");
  const launcher = await chooseLauncher({ folder, dataFolder, program: binaries.postgres });
  const logFile = path.join(folder, "postgres.log");
  const place: ServerPlace = { dataFolder, logFile, binaries, launcher, clock };

  const credentialsFile = path.join(folder, "postgres.json");
  const credentials = await prepare(options, place, credentialsFile);
  if (await stopLeftover(place)) log("Stopped the PostgreSQL that an earlier demo had left behind", "warn");

  const { server, port } = await startOnSomePort({ place, wanted: options.port, last: credentials.port, signal });
  resources.defer(() => server.stop());
  const urls: Urls = {
    url: urlOf(LOADER, credentials.loaderPassword, port),
    ownerUrl: urlOf(OWNER, credentials.ownerPassword, port),
  };
  if (port !== credentials.port) await writeCredentials(credentialsFile, { ...credentials, port, ...urls });
  await keepFolderOwner(folder, [
    credentialsFile,
    logFile,
    path.join(folder, "demo.lock"),
    path.join(folder, "demo.pid"),
  ]);
  await setUp({ port, credentials });
  signal.throwIfAborted();

  const owned = resources.move();
  const stop = (): Promise<void> => owned.disposeAsync();
  return {
    ...urls,
    port,
    pid: server.pid,
    ended: server.ended,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Passwords, and a data folder that fits them; both of the last start where there was one. */
async function prepare(
  options: DemoDatabaseOptions,
  place: ServerPlace,
  credentialsFile: string,
): Promise<Credentials> {
  const { dataFolder } = place;
  const known = await readCredentials(credentialsFile);
  const version = await dataVersion(dataFolder);
  if (version !== undefined) {
    const invalid = await whyInvalid({ place, version, known });
    if (invalid !== undefined) throw new NovaError("DEMO_FOLDER_INVALID", `${dataFolder} cannot be used: ${invalid}`);
    if (known) return known;
  }
  const credentials = known ?? newCredentials();
  await writeCredentials(credentialsFile, credentials);
  options.log(`Making a PostgreSQL ${place.binaries.major} in ${dataFolder}`);
  await initialise({
    ...place,
    superuser: SUPERUSER,
    password: credentials.superuserPassword,
    signal: options.signal,
  });
  return credentials;
}

interface Found {
  readonly place: ServerPlace;
  readonly version: string;
  readonly known: Credentials | undefined;
}

async function whyInvalid({ place, version, known }: Found): Promise<string | undefined> {
  if (version !== place.binaries.major) {
    return `it was made by PostgreSQL ${version}, and this is PostgreSQL ${place.binaries.major}`;
  }
  if (!known) return "the file postgres.json with its passwords is missing or unreadable";
  const [owner, self] = [await dataOwner(place.dataFolder), place.launcher.account?.uid ?? process.getuid?.()];
  if (self !== undefined && owner !== self) return `it belongs to the user with id ${owner}, and this user has ${self}`;
  return undefined;
}

interface PortChoice {
  readonly place: ServerPlace;
  readonly wanted: number | undefined;
  readonly last: number;
  readonly signal: AbortSignal;
}

async function startOnSomePort(choice: PortChoice): Promise<{ server: RunningServer; port: number }> {
  const { place, wanted, last, signal } = choice;
  for (let attempt = 1; ; attempt++) {
    // A port that was free a moment ago may be taken now, so only the server's own attempt decides.
    const port = wanted ?? (attempt === 1 && last > 0 ? await claimable(last) : undefined) ?? (await claimable(0)) ?? 0;
    try {
      return { server: await start(place, port, signal), port };
    } catch (thrown) {
      const taken = thrown instanceof NovaError && thrown.code === "PORT_IN_USE";
      if (!taken || wanted !== undefined || attempt === PORT_ATTEMPTS) throw thrown;
    }
  }
}

/** A root user in somebody's folder leaves files that this somebody can go on with. */
async function keepFolderOwner(folder: string, files: readonly string[]): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(folder);
  if (uid === 0) return;
  for (const file of files) await chown(file, uid, gid);
}

/** Roles, database and grants; each step looks first, so that a start which was killed in between is made up for. */
async function setUp({ port, credentials }: { port: number; credentials: Credentials }): Promise<void> {
  const { superuserPassword, ownerPassword, loaderPassword } = credentials;
  const owner = identifier(OWNER);
  const loader = identifier(LOADER);
  await withClient(urlOf(SUPERUSER, superuserPassword, port, "postgres"), async (client) => {
    // A statement that fails is written to the log, and these hold passwords.
    await client.query("SET log_min_error_statement = panic");
    for (const [role, password] of [
      [OWNER, ownerPassword],
      [LOADER, loaderPassword],
    ] as const) {
      const found = await client.query("SELECT FROM pg_roles WHERE rolname = $1", [role]);
      if (found.rowCount === 0) await client.query(`CREATE ROLE ${identifier(role)}`);
      await client.query(`ALTER ROLE ${identifier(role)} LOGIN PASSWORD ${literal(password)}`);
    }
    await client.query(`GRANT pg_read_all_stats TO ${loader}`);
    const found = await client.query("SELECT FROM pg_database WHERE datname = $1", [DATABASE]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${identifier(DATABASE)} OWNER ${owner}`);
    await client.query(`REVOKE TEMPORARY ON DATABASE ${identifier(DATABASE)} FROM PUBLIC`);
  });
  await withClient(urlOf(OWNER, ownerPassword, port), async (client) => {
    await client.query(`
      GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${loader};
      GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO ${loader};
      ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO ${loader};
      ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON SEQUENCES TO ${loader};`);
  });
}

async function withClient(connectionString: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString, application_name: "novadrive demo" });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

function urlOf(user: string, password: string, port: number, database = DATABASE): string {
  return `postgres://${user}:${password}@127.0.0.1:${port}/${database}?sslmode=disable`;
}
