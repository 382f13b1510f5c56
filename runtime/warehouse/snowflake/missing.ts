/** Tells that what a statement names is not there, or may not be seen, which Snowflake does not tell apart. */
import { NovaError } from "../../core/errors.ts";

/**
 * 002003: "Object … does not exist or not authorized"; 002043: "Object does not exist, or operation cannot be performed".
 * https://docs.snowflake.com/en/user-guide/troubleshooting-object-not-found-errors
 */
const NUMBERS = new Set([2003, 2043]);

export function isMissing(thrown: unknown): boolean {
  return thrown instanceof NovaError && NUMBERS.has(Number(thrown.details["number"]));
}
