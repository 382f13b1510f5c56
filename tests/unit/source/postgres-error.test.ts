import { expect, test } from "vitest";
import { NovaError } from "../../../runtime/core/errors.ts";
import { sourceError } from "../../../runtime/source/postgres-error.ts";

const address = { host: "db", port: 5432, database: "shop", user: "ana" };
const failure = (code: string, message: string) => Object.assign(new Error(message), { code });

test.each([
  ["28P01", "password authentication failed", "SOURCE_AUTH_FAILED", false],
  [
    "28000",
    'no pg_hba.conf entry for host "1.2.3.4", user "ana", database "shop", no encryption',
    "SOURCE_TLS_FAILED",
    false,
  ],
  ["28000", 'role "ana" is not permitted to log in', "SOURCE_AUTH_FAILED", false],
  ["3D000", 'database "shop" does not exist', "SOURCE_DATABASE_MISSING", false],
  ["42501", "permission denied for table t", "SOURCE_PERMISSION", false],
  ["55P03", "canceling statement due to lock timeout", "SOURCE_LOCK_TIMEOUT", true],
  ["25P04", "terminating connection due to transaction timeout", "SOURCE_SNAPSHOT_LOST", true],
  ["40001", "terminating connection due to conflict with recovery", "SOURCE_SNAPSHOT_LOST", true],
  ["42704", 'snapshot "00000003-0000001B-1" does not exist', "SOURCE_SNAPSHOT_LOST", true],
  ["53300", "sorry, too many clients already", "SOURCE_UNREACHABLE", true],
  ["57P03", "the database system is starting up", "SOURCE_UNREACHABLE", true],
  ["08006", "connection failure", "SOURCE_UNREACHABLE", true],
  ["57014", "canceling statement due to statement timeout", "SOURCE_QUERY_FAILED", false],
  ["42601", "syntax error", "SOURCE_QUERY_FAILED", false],
  ["ECONNREFUSED", "connect ECONNREFUSED", "SOURCE_UNREACHABLE", true],
  ["EAI_AGAIN", "getaddrinfo EAI_AGAIN db", "SOURCE_UNREACHABLE", true],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed certificate", "SOURCE_TLS_FAILED", false],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "Hostname/IP does not match", "SOURCE_TLS_FAILED", false],
  ["", "Connection terminated unexpectedly", "SOURCE_UNREACHABLE", true],
  ["", "timeout exceeded when trying to connect", "SOURCE_UNREACHABLE", true],
  ["", "SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string", "SOURCE_AUTH_FAILED", false],
])("%s %s is %s", (code, message, expected, transient) => {
  const error = sourceError(failure(code, message), { address });
  expect(error).toMatchObject({ code: expected, transient });
  expect(error.message).toContain("db:5432/shop as ana");
});

test("all addresses of a host that were tried are in the message", () => {
  const tried = new AggregateError(
    [failure("ECONNREFUSED", "connect ::1"), failure("ECONNREFUSED", "connect 127.0.0.1")],
    "",
  );
  const error = sourceError(Object.assign(tried, { code: "ECONNREFUSED" }), { address, doing: "connecting" });
  expect(error.message).toBe("While connecting: connect ::1; connect 127.0.0.1. (source db:5432/shop as ana)");
});

test("what already has a code keeps it", () => {
  const error = new NovaError("SOURCE_KEY_MISSING", "no key");
  expect(sourceError(error, { address })).toBe(error);
});

test("text that only looks like a refused value is an ordinary failure", () => {
  const error = sourceError(failure("22P02", 'invalid input syntax for type integer: "novadrive:{oops}"'), { address });
  expect(error.code).toBe("SOURCE_QUERY_FAILED");
});
