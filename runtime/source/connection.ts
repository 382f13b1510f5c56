/** From the source's URL to the settings of its connections, TLS included. */
import { readFileSync } from "node:fs";
import { Client, type PoolConfig } from "pg";
import { NovaError } from "../core/errors.ts";

/** Where a source is, as messages may say it: never with the password. */
export interface SourceAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

export interface SourceConnection {
  readonly config: PoolConfig;
  readonly address: SourceAddress;
}

/**
 * What sslmode may say, with libpq's meaning (https://www.postgresql.org/docs/current/libpq-ssl.html): `require` encrypts and checks
 * nothing (with sslrootcert: as verify-ca), `verify-ca` checks the issuer, `verify-full` also the host's name. Without sslmode the
 * connection is not encrypted. node-postgres takes `require` for verify-full unless told `uselibpqcompat`, which is always set here.
 * `prefer` and `allow` are refused: they promise nothing, and the driver cannot fall back as libpq does.
 */
const SSL_MODES = ["disable", "require", "verify-ca", "verify-full"];

/** Seconds after which a silent connection is probed; the kernel's two hours would let a batch hang behind a dropped NAT entry. */
const KEEPALIVE_SECONDS = 30;

/**
 * @param url postgres://user:password@host:port/database?sslmode=…&sslrootcert=…&sslcert=…&sslkey=…; what is missing comes from the
 * PG* variables of the environment, as in psql
 * @throws NovaError CONFIG_INVALID, SOURCE_TLS_FAILED; no message repeats the URL
 */
export function sourceConnection(url: string): SourceConnection {
  const parsed = parse(url);
  const mode = parsed.searchParams.get("sslmode");
  if (mode !== null && !SSL_MODES.includes(mode)) {
    throw new NovaError(
      "CONFIG_INVALID",
      `The source URL has sslmode=${mode}, which does not say whether to encrypt.`,
      {
        remedy: `Write one of sslmode=${SSL_MODES.join(", ")}.`,
      },
    );
  }
  // Node's own list of authorities is used where no file is named, which is what libpq calls `system`.
  if (parsed.searchParams.get("sslrootcert") === "system") {
    parsed.searchParams.delete("sslrootcert");
    parsed.searchParams.set("sslmode", "verify-full");
  }
  if (mode === "verify-ca" && !parsed.searchParams.has("sslrootcert")) {
    throw new NovaError(
      "CONFIG_INVALID",
      "The source URL has sslmode=verify-ca but names no authority to check against.",
      {
        remedy: "Add sslrootcert=<file>, or use sslmode=verify-full, which trusts the public authorities.",
      },
    );
  }
  for (const name of ["sslrootcert", "sslcert", "sslkey"]) checkReadable(parsed, name);
  parsed.searchParams.set("uselibpqcompat", "true");
  const config: PoolConfig = {
    connectionString: parsed.href,
    application_name: "novadrive",
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_SECONDS * 1000,
  };
  const { host, port, database, user } = new Client(config);
  return { config, address: { host, port, database: database ?? "", user: user ?? "" } };
}

function parse(url: string): URL {
  // The thrown error would hold the URL, and with it the password.
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === "postgres:" || parsed?.protocol === "postgresql:") return parsed;
  throw new NovaError("CONFIG_INVALID", "The source URL cannot be read as a PostgreSQL URL.", {
    remedy:
      "Write NOVADRIVE_SOURCE_URL as postgres://user:password@host:5432/database; in the password, % : / ? # @ are written as %25 %3A %2F %3F %23 %40.",
  });
}

function checkReadable(url: URL, name: string): void {
  const file = url.searchParams.get(name);
  if (file === null) return;
  try {
    readFileSync(file);
  } catch (cause) {
    throw new NovaError("SOURCE_TLS_FAILED", `The file ${file} that ${name} names in the source URL cannot be read.`, {
      remedy: `Correct ${name} in NOVADRIVE_SOURCE_URL.`,
      cause,
    });
  }
}

/** `db.example.com:5432/sales as loader` */
export function describeAddress({ host, port, database, user }: SourceAddress): string {
  return `${host}:${port}/${database} as ${user}`;
}
