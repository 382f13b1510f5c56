/** What Snowflake or its driver threw, as an error for the user. */
import { NovaError } from "../../core/errors.ts";
import { DriverFailure } from "./connection.ts";
import { redactSecrets } from "./redact-secrets.ts";
import type { Statement } from "./statement.ts";
import type { SnowflakeTarget } from "./warehouse-url.ts";

export interface ErrorContext {
  readonly target: SnowflakeTarget;
  readonly statement?: Statement | undefined;
}

export function snowflakeError(thrown: unknown, { statement }: ErrorContext): NovaError {
  if (thrown instanceof NovaError) return thrown;
  const failure = thrown instanceof DriverFailure ? thrown : new DriverFailure(thrown, undefined);
  const code = /does not exist or not authorized/.test(failure.message)
    ? "WAREHOUSE_OBJECT_MISSING"
    : "WAREHOUSE_QUERY_FAILED";
  return new NovaError(code, redactSecrets(failure.message), {
    details: { step: statement?.step, queryId: failure.queryId },
  });
}

/** Whether it says that an object does not exist (or is not shown to the role, which Snowflake does not tell apart). */
export function isMissing(thrown: unknown): boolean {
  return thrown instanceof NovaError && thrown.code === "WAREHOUSE_OBJECT_MISSING";
}
