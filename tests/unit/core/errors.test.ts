import { describe, expect, it } from "vitest";
import { ERROR_CODES } from "../../../runtime/core/error-codes.ts";
import { NovaError, toNovaError } from "../../../runtime/core/errors.ts";
import { redact } from "../../../runtime/core/redact.ts";
import { retryDelay } from "../../../runtime/core/retry.ts";

describe("the table of errors", () => {
  it.each(Object.entries(ERROR_CODES))("%s says what happened and what to do", (_, code) => {
    expect(code.summary).toMatch(/^[A-Z-].*\.$/s);
    expect(code.remedy).toMatch(/\.$/);
    expect(code.exit === 2 && code.transient).toBe(false);
  });
});

describe("NovaError", () => {
  it("takes the remedy of its code unless it has a better one", () => {
    expect(new NovaError("PORT_IN_USE", "8080 is taken").remedy).toBe(ERROR_CODES.PORT_IN_USE.remedy);
    expect(new NovaError("PORT_IN_USE", "8080 is taken", { remedy: "--port 8081" }).remedy).toBe("--port 8081");
  });

  it("becomes INTERNAL when something without a code was thrown", () => {
    expect(toNovaError(new TypeError("x is undefined")).report()).toMatchObject({
      code: "INTERNAL",
      message: "x is undefined",
    });
    expect(toNovaError("text").message).toBe("text");
  });
});

describe("retryDelay", () => {
  const policy = { retries: 3, delay: 60, backoff: 2 };
  const passing = new NovaError("SOURCE_UNREACHABLE", "no route");

  it("grows by the factor of the policy, and ends after its attempts", () => {
    expect([1, 2, 3, 4].map((attempt) => retryDelay(policy, passing, attempt))).toEqual([
      60_000,
      120_000,
      240_000,
      undefined,
    ]);
  });

  it("never waits longer than a day, which timers can tell", () => {
    expect(retryDelay({ retries: 100, delay: 86_400, backoff: 10 }, passing, 50)).toBe(86_400_000);
  });

  it("is for errors that may pass only", () => {
    expect(retryDelay(policy, new NovaError("SOURCE_AUTH_FAILED", "no"), 1)).toBeUndefined();
  });
});

describe("a report", () => {
  it("shows no password, whatever the message quotes", () => {
    const error = new NovaError("USAGE_INVALID", "unknown option '--x=postgres://u:s3cret@h/db'", {
      remedy: "not postgres://h/db?user=u&password=s3cret",
      details: { engine: ["postgres://u:s3cret@h"] },
    });
    expect(JSON.stringify(error.report())).not.toContain("s3cret");
  });
});

describe("redact", () => {
  it("takes passwords out of URLs wherever they stand", () => {
    expect(redact("connect postgres://ana:s3cr%40t@db:5432/x and https://u:p@h")).toBe(
      "connect postgres://ana:***@db:5432/x and https://u:***@h",
    );
  });
});
