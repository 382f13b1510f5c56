/** What Snowflake's driver threw, as data: the driver's own objects hold requests and answers, which do not belong in a log. */
import { redactSecrets } from "./redact-secrets.ts";

export interface DriverFacts {
  /** Class of the driver: OperationFailedError is Snowflake's own refusal, all others are about the way there. */
  readonly kind: string;
  /** Snowflake's number of the error (2003 for 002003), or the driver's (from 400000 on). */
  readonly number?: number | undefined;
  readonly sqlState?: string | undefined;
  readonly queryId?: string | undefined;
  /** Status of an answer that was no answer of Snowflake's own. */
  readonly httpStatus?: number | undefined;
  /** Of the operating system or OpenSSL: ENOTFOUND, ECONNRESET, CERT_HAS_EXPIRED. */
  readonly systemCode?: string | undefined;
}

/** Its message is Snowflake's, without secrets. */
export class DriverFailure extends Error {
  override readonly name = "DriverFailure";
  readonly facts: DriverFacts;

  constructor(message: string, facts: DriverFacts) {
    super(message);
    this.facts = facts;
  }
}

export function driverFailure(thrown: unknown, queryId?: string): DriverFailure {
  if (thrown instanceof DriverFailure) return thrown;
  if (!(thrown instanceof Error)) return new DriverFailure(redactSecrets(String(thrown)), { kind: "Unknown", queryId });
  const code = property(thrown, "code");
  const number = /^\d+$/.test(String(code)) ? Number(code) : undefined;
  const status = property(property(thrown, "response"), "statusCode");
  const ownQuery = property(property(thrown, "data"), "queryId");
  return new DriverFailure(redactSecrets(messageOf(thrown)), {
    kind: thrown.name,
    number,
    sqlState: text(property(thrown, "sqlState")),
    queryId: text(ownQuery) ?? queryId,
    httpStatus: typeof status === "number" ? status : undefined,
    systemCode: number === undefined ? text(code) : text(property(thrown.cause, "code")),
  });
}

/** Sockets that tried several addresses have an empty one, and the driver gives none at all to a refusal that came without. */
function messageOf(error: Error): string {
  const said = [error.message, property(error.cause, "message")].find((message) => text(message) !== undefined);
  return text(said) ?? `${error.name} without a message`;
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
