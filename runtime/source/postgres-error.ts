/** What PostgreSQL, the network or TLS said, as one of the program's own errors. */
import type { ErrorCodeName } from "../core/error-codes.ts";
import { NovaError } from "../core/errors.ts";
import { describeAddress, type SourceAddress } from "./connection.ts";
import { valueError } from "./value-guard.ts";

const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENOENT",
]);

/** What node-postgres says in words only. */
const UNREACHABLE_MESSAGE =
  /^(Connection terminated|timeout e|Client has encountered a connection error|Connection ended)/;

const TLS_CODE =
  /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH$|INVALID_CA$|EPROTO$)/;
const TLS_MESSAGE = /does not support SSL|establishing an SSL connection/;

interface Meaning {
  readonly code: ErrorCodeName;
  readonly says: string;
  readonly remedy?: string | undefined;
}

/** SQLSTATEs (https://www.postgresql.org/docs/current/errcodes-appendix.html) → what they mean for a loader. */
function meaningOfState(state: string, message: string, { database, user }: SourceAddress): Meaning {
  const quoted = `PostgreSQL says: ${message}`;
  switch (state) {
    case "28P01":
      return { code: "SOURCE_AUTH_FAILED", says: `PostgreSQL refused the password of ${user}.` };
    case "28000":
      return /no encryption|SSL off/.test(message)
        ? { code: "SOURCE_TLS_FAILED", says: quoted, remedy: "Add ?sslmode=require to NOVADRIVE_SOURCE_URL." }
        : { code: "SOURCE_AUTH_FAILED", says: quoted };
    case "3D000":
      return { code: "SOURCE_DATABASE_MISSING", says: `There is no database "${database}".` };
    case "42501":
      return { code: "SOURCE_PERMISSION", says: quoted };
    case "42P01":
    case "3F000":
      return { code: "SOURCE_TABLE_MISSING", says: quoted };
    case "42703":
      return { code: "SOURCE_COLUMN_MISSING", says: quoted };
    case "55P03":
      return { code: "SOURCE_LOCK_TIMEOUT", says: quoted };
    // The exported snapshot is gone, or the transaction was ended over our head.
    case "25P03":
    case "25P04":
    case "40001":
    case "40P01":
    case "72000":
      return { code: "SOURCE_SNAPSHOT_LOST", says: quoted };
    case "53300":
    case "53400":
    case "57P01":
    case "57P02":
    case "57P03":
    case "57P05":
      return { code: "SOURCE_UNREACHABLE", says: quoted };
    case "57014":
      return {
        code: "SOURCE_QUERY_FAILED",
        says: quoted,
        remedy: "Raise statement_timeout for the user, or read from a replica.",
      };
    default:
      if (state.startsWith("08")) return { code: "SOURCE_UNREACHABLE", says: quoted };
      if (/snapshot .*does not exist|invalid snapshot identifier/.test(message))
        return { code: "SOURCE_SNAPSHOT_LOST", says: quoted };
      return { code: "SOURCE_QUERY_FAILED", says: quoted };
  }
}

function meaningOf(code: string, message: string, address: SourceAddress): Meaning | undefined {
  if (TLS_CODE.test(code) || TLS_MESSAGE.test(message)) {
    const unknownIssuer = /SELF_SIGNED|UNABLE_TO/.test(code);
    return {
      code: "SOURCE_TLS_FAILED",
      says: `The encrypted connection failed: ${message}.`,
      remedy: unknownIssuer
        ? "Add sslrootcert=<file of the issuing authority> to NOVADRIVE_SOURCE_URL, or use sslmode=require to encrypt without checking."
        : undefined,
    };
  }
  if (UNREACHABLE.has(code) || UNREACHABLE_MESSAGE.test(message)) {
    return { code: "SOURCE_UNREACHABLE", says: message === "" ? code : `${message}.` };
  }
  if (/^SASL|password must be a string/.test(message)) {
    return { code: "SOURCE_AUTH_FAILED", says: "PostgreSQL asks for a password, and the one given cannot be used." };
  }
  return /^[0-9A-Z]{5}$/.test(code) ? meaningOfState(code, message, address) : undefined;
}

export interface ErrorPlace {
  readonly address: SourceAddress;
  /** `schema.table`, where one is being read. */
  readonly table?: string | undefined;
  /** What was being done: "reading vendas". */
  readonly doing?: string | undefined;
}

/**
 * A pure function of SQLSTATE, node's error code and message. The message names host, port, database and user, never the password.
 *
 * @returns NovaError SOURCE_*; what is none of PostgreSQL's, the network's or TLS's comes back as SOURCE_QUERY_FAILED with its text
 */
export function sourceError(thrown: unknown, { address, table, doing }: ErrorPlace): NovaError {
  if (thrown instanceof NovaError) return thrown;
  const message = textOf(thrown);
  const invalid = valueError(message);
  if (invalid) return invalid;
  const meaning = meaningOf(codeOf(thrown), message, address) ?? {
    code: "SOURCE_QUERY_FAILED" as const,
    says: message,
  };
  const place = doing === undefined ? "" : `While ${doing}: `;
  const state = codeOf(thrown);
  return new NovaError(meaning.code, `${place}${meaning.says} (source ${describeAddress(address)})`, {
    remedy: meaning.remedy,
    cause: thrown,
    details: { ...(state === "" ? {} : { state }), ...(table === undefined ? {} : { table }) },
  });
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? thrown.code : "";
}

/** Node tries every address of a host and throws all the failures at once, with an empty message. */
function textOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === "") {
    return thrown.errors.map((error: unknown) => textOf(error)).join("; ");
  }
  return thrown instanceof Error ? thrown.message : String(thrown);
}
