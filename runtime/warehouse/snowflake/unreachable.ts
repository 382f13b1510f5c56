/** Failures on the way to Snowflake, after the driver's own attempts. */
import { NovaError } from "../../core/errors.ts";
import type { DriverFailure } from "./driver-failure.ts";
import type { SnowflakeTarget } from "./warehouse-url.ts";

/** The driver's number for a statement that was sent after its session had ended. */
const SESSION_ENDED = 407_002;
/** Session token invalid, session gone, session token expired, master token expired. */
const TOKENS = [390_104, 390_111, 390_112, 390_114];
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|OCSP|CRL/;

const WAY_THERE = [
  "NetworkError",
  "RequestFailedError",
  "UnexpectedContentError",
  "LargeResultSetError",
  "OCSPError",
  "CRLError",
  "ClientError",
  "AxiosError",
];

export function isUnreachable({ facts }: DriverFailure): boolean {
  return (
    WAY_THERE.includes(facts.kind) ||
    (facts.number !== undefined && TOKENS.includes(facts.number)) ||
    /^(?:E[A-Z]+|ENOTFOUND|EAI_AGAIN)$/.test(facts.systemCode ?? "")
  );
}

/** Whether the statement was refused because its session had ended, and so cannot have begun. */
export function isSessionEnded({ facts }: DriverFailure): boolean {
  return facts.queryId === undefined && (facts.number === SESSION_ENDED || TOKENS.includes(facts.number ?? 0));
}

/** @param doing what was being done, e.g. "the login" */
export function unreachable(failure: DriverFailure, target: SnowflakeTarget, doing: string): NovaError {
  const { number, httpStatus, systemCode, queryId } = failure.facts;
  const host = target.host ?? `${target.account}.snowflakecomputing.com`;
  const { why, remedy } = reason(failure, host);
  return new NovaError("WAREHOUSE_UNREACHABLE", `Snowflake could not be reached for ${doing}: ${why}.`, {
    remedy,
    details: { number, httpStatus, systemCode, queryId, host },
    cause: failure,
  });
}

function reason({ facts, message }: DriverFailure, host: string): { readonly why: string; readonly remedy: string } {
  const { httpStatus, systemCode = "", number } = facts;
  if (systemCode === "ENOTFOUND" || systemCode === "EAI_AGAIN") {
    return {
      why: `the name ${host} is not known`,
      remedy:
        "Correct the account in NOVADRIVE_WAREHOUSE_URL (<organization>-<account>), and see that this machine resolves names.",
    };
  }
  if (CERTIFICATE.test(systemCode) || CERTIFICATE.test(facts.kind)) {
    return {
      why: `the certificate of ${host} cannot be trusted (${systemCode || message})`,
      remedy: "If a proxy opens TLS, name its certificate in NODE_EXTRA_CA_CERTS; correct the machine's clock.",
    };
  }
  if (httpStatus !== undefined) {
    return {
      why: `${host} answered with HTTP status ${httpStatus}`,
      remedy: "Run again later; https://status.snowflake.com tells of disturbances.",
    };
  }
  if (number === SESSION_ENDED || TOKENS.includes(number ?? 0)) {
    return { why: "the session has ended on the server", remedy: "Run again; the next session logs in anew." };
  }
  return {
    why: `the connection to ${host} failed (${systemCode || message})`,
    remedy: `See that this machine reaches ${host}, port 443.`,
  };
}
