import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { UsageMeter } from "../../../../runtime/warehouse/snowflake/usage.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { hurryDriver, KEY, open, runOn, statement } from "./driver-fixture.ts";
import { protocolServer, refusal, resultOf, TOKENS, type ProtocolServer } from "./protocol-server.ts";

let server: ProtocolServer;
beforeEach(async () => {
  server = await protocolServer();
  hurryDriver();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await server[Symbol.asyncDispose]();
});

/** Paths and texts in the order in which they came, without what every session begins with. */
const conversation = (): string[] =>
  server.asked
    .map(({ path, sql }) => (sql === "" ? path : sql))
    .filter((line) => !line.startsWith("ALTER SESSION"))
    .map((line) => line.replace("/session/v1/login-request", "login").replace(/^\/session$/, "logout"));

const requestIds = (sql: string) =>
  server.asked.filter((asked) => asked.sql === sql).map(({ query }) => query.get("requestId"));

describe("sessions", () => {
  it("are opened by the first statement, used again, and closed at the end", async () => {
    {
      await using sessions = open(server);
      await sessions.use(() => Promise.resolve());
      expect(conversation()).toEqual([]);
      const result = await sessions.use((session) => session.run(statement("select 1")));
      expect(result).toEqual({ columns: [{ name: "status", type: "TEXT" }], rows: [["ok"]] });
      await sessions.use((session) => session.run(statement("select 2")));
    }
    expect(conversation()).toEqual(["login", "select 1", "select 2", "logout"]);
  });

  it("pin what a user's defaults could change, before anything else", async () => {
    await runOn(server, "select 1");
    const first = server.asked.find(({ sql }) => sql !== "")?.sql;
    expect(first).toMatch(/^ALTER SESSION SET\s+AUTOCOMMIT = TRUE/);
    expect(first).toContain("TIMEZONE = 'UTC'");
  });

  it("log in as the URL says, under the program's name, and tell Snowflake nothing of the machine", async () => {
    await runOn(server, "select 1");
    const [login] = server.asked;
    expect(Object.fromEntries(login?.query ?? [])).toMatchObject({
      warehouse: "DEFAULT_WH",
      databaseName: "NOVADRIVE",
      roleName: "RUNTIME",
    });
    expect(login?.body.data).toMatchObject({
      ACCOUNT_NAME: "myorg-acct",
      LOGIN_NAME: "svc",
      AUTHENTICATOR: "SNOWFLAKE_JWT",
      CLIENT_ENVIRONMENT: { APPLICATION: "novadrive", PLATFORM: ["disabled"] },
      SESSION_PARAMETERS: { CLIENT_SESSION_KEEP_ALIVE: false },
    });
    expect(server.asked.filter(({ path }) => path.includes("telemetry"))).toEqual([]);
  });

  it("tag every statement with product, batch, step and subject", async () => {
    await using sessions = open(server);
    await sessions.use((session) => session.run(statement("select 1")));
    sessions.setBatch(7);
    await sessions.use((session) => session.run(statement("select 2", { step: "load", subject: "vendas" })));
    const tags = server.asked
      .filter(({ sql }) => sql.startsWith("select"))
      .map(({ body }) => body.parameters.QUERY_TAG);
    expect(tags).toEqual([
      '{"product":"novadrive","step":"state"}',
      '{"product":"novadrive","batch":7,"step":"load","subject":"vendas"}',
    ]);
  });

  it("are never more than allowed, whatever is asked for at once", async () => {
    let running = 0;
    let most = 0;
    const three = Promise.withResolvers<void>();
    server.behave(async ({ sql }) => {
      if (!sql.startsWith("select")) return undefined;
      most = Math.max(most, ++running);
      if (running === 3) three.resolve();
      await three.promise;
      running -= 1;
      return undefined;
    });
    await using sessions = open(server, { parallel: 3 });
    const uses = Array.from({ length: 12 }, (_, i) => sessions.use((session) => session.run(statement(`select ${i}`))));
    await Promise.all(uses);
    expect([most, server.logins]).toEqual([3, 3]);
  });

  it("that were idle for an hour are replaced", async () => {
    const clock = new FakeClock();
    await using sessions = open(server, { clock });
    await sessions.use((session) => session.run(statement("select 1")));
    await clock.advance(59 * 60_000);
    await sessions.use((session) => session.run(statement("select 2")));
    await clock.advance(61 * 60_000);
    await sessions.use((session) => session.run(statement("select 3")));
    expect(conversation()).toEqual(["login", "select 1", "select 2", "logout", "login", "select 3"]);
  });

  it("cannot be had after the end", async () => {
    const sessions = open(server);
    await sessions[Symbol.asyncDispose]();
    await expect(sessions.use((session) => session.run(statement("select 1")))).rejects.toMatchObject({
      code: "INTERNAL",
    });
    expect(server.asked).toEqual([]);
  });

  it("count their statements, and meter those that need the warehouse", async () => {
    const usage = new UsageMeter(new FakeClock());
    await using sessions = open(server, { usage });
    await sessions.use(async (session) => {
      await session.run(statement("select 1"));
      await session.run(statement("show tables", { metered: false }));
    });
    expect(usage.usage().statements).toBe(3);
  });
});

describe("a session is not used again", () => {
  const begin = statement('BEGIN TRANSACTION NAME "x"', { step: "publish" });
  const cases = [
    ["with a transaction that was left open", ["BEGIN"]],
    ["whose COMMIT failed", ["BEGIN", "COMMIT fails"]],
    ["whose BEGIN failed", ["BEGIN fails"]],
  ] as const;
  it.each(cases)("%s", async (_what, steps) => {
    server.behave(({ sql }) =>
      sql.endsWith("fails") ? refusal("000603", "SQL execution internal error", "XX000") : undefined,
    );
    await using sessions = open(server);
    await sessions.use(async (session) => {
      for (const sql of steps) await session.run(statement(sql)).catch(() => undefined);
    });
    await sessions.use((session) => session.run(statement("select 1")));
    expect(conversation()).toEqual(["login", ...steps, "logout", "login", "select 1"]);
  });

  it("after a hook, which may have changed it", async () => {
    await using sessions = open(server);
    await sessions.use((session) => session.run(statement("use schema x", { step: "hook" })));
    await sessions.use((session) => session.run(statement("select 1")));
    expect(server.logins).toBe(2);
  });

  it("but is, after a transaction that has ended, and after a refusal", async () => {
    server.behave(({ sql }) =>
      sql === "select wrong" ? refusal("000904", "invalid identifier 'WRONG'", "42000") : undefined,
    );
    await using sessions = open(server);
    for (const end of ["COMMIT", "ROLLBACK"]) {
      await sessions.use(async (session) => {
        await session.run(begin);
        await session.run(statement(end));
      });
    }
    await expect(sessions.use((session) => session.run(statement("select wrong")))).rejects.toThrow();
    await sessions.use((session) => session.run(statement("select 1")));
    expect(server.logins).toBe(1);
  });
});

describe("a session", () => {
  /** `!`: refused by the server, which then leaves everything as it was. */
  const steps = fc.constantFrom("begin", "begin!", "commit", "commit!", "rollback", "rollback!", "select", "select!");

  it("never begins a use with a transaction that an earlier one has left open", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(steps, { maxLength: 5 }), { maxLength: 4 }), async (uses) => {
        const transactions = new Map<string, boolean>();
        let logins = 0;
        server.behave(({ path, sql, token }) => {
          if (path.endsWith("login-request")) {
            const lifetime = { validityInSeconds: 3600, masterValidityInSeconds: 14_400 };
            return {
              success: true,
              data: { token: `ver:1-hint:${++logins}`, masterToken: "m", ...lifetime, parameters: [] },
            };
          }
          const [verb = ""] = sql.split("!");
          if (sql.endsWith("!")) return refusal("000603", "no", "XX000");
          if (verb === "begin") transactions.set(token, true);
          if (verb === "commit" || verb === "rollback") transactions.set(token, false);
          if (verb === "first of a use")
            return resultOf([{ name: "open", type: "text" }], [[String(transactions.get(token) ?? false)]]);
          return undefined;
        });
        await using sessions = open(server, { parallel: 1 });
        for (const use of uses) {
          await sessions.use(async (session) => {
            expect((await session.run(statement("first of a use"))).rows).toEqual([["false"]]);
            for (const step of use) await session.run(statement(step)).catch(() => undefined);
          });
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe("an expired token", () => {
  const expired = refusal("390112", "Your session has expired. Please login again.");
  const gone = refusal("390111", "Session no longer exists. New login required to access the service.");
  const masterExpired = refusal("390114", "Authentication token has expired. The user must authenticate again.");

  it("of the session is renewed, and the statement sent again under its own number", async () => {
    server.behave(({ sql, token }) => (sql === "select 1" && token === TOKENS.session ? expired : undefined));
    expect((await runOn(server, "select 1")).rows).toEqual([["ok"]]);
    expect(conversation()).toEqual(["login", "select 1", "/session/token-request", "select 1", "logout"]);
    expect(new Set(requestIds("select 1")).size).toBe(1);
  });

  it.each([
    ["of the login", { "select 1": expired, "/session/token-request": masterExpired }],
    ["of a session that is gone", { "select 1": gone }],
  ])("%s is answered by a new login where nothing is lost", async (_what, answers: Record<string, object>) => {
    server.behave(({ path, sql }) => (server.logins === 1 ? (answers[sql] ?? answers[path]) : undefined));
    expect((await runOn(server, "select 1")).rows).toEqual([["ok"]]);
    expect([server.logins, server.statements]).toEqual([2, ["select 1", "select 1"]]);
  });

  it.each([
    ["in a transaction", [statement("BEGIN"), statement("delete from t")]],
    [
      "after another statement, whose temporary table would be missed",
      [statement("create temporary table t"), statement("delete from t")],
    ],
    ["of a hook", [statement("delete from t", { step: "hook" })]],
  ])("%s is not hidden, and the statement not sent again", async (_what, steps) => {
    server.behave(({ sql }) => (sql === "delete from t" ? gone : undefined));
    await using sessions = open(server);
    const work = sessions.use(async (session) => {
      for (const step of steps) await session.run(step);
    });
    await expect(work).rejects.toMatchObject({ code: "WAREHOUSE_UNREACHABLE", transient: true });
    expect(server.statements.filter((sql) => sql === "delete from t")).toHaveLength(1);
    server.behave(() => undefined);
    await sessions.use((session) => session.run(statement("select 1")));
    expect(server.logins).toBe(2);
  });

  it("that expires again and again ends in an error", async () => {
    server.behave(({ sql }) => (sql === "select 1" ? gone : undefined));
    await expect(runOn(server, "select 1")).rejects.toMatchObject({ code: "WAREHOUSE_UNREACHABLE" });
    expect(server.statements).toEqual(["select 1", "select 1"]);
  });
});

describe("a broken way to Snowflake", () => {
  it.each(["drop", 503, 429] as const)("(%s) is tried again by the driver, under the same number", async (answer) => {
    server.behave(({ sql }, times) => (sql === "delete from t" && times <= 2 ? answer : undefined));
    expect((await runOn(server, "delete from t")).rows).toEqual([["ok"]]);
    expect(requestIds("delete from t")).toHaveLength(3);
    expect(new Set(requestIds("delete from t")).size).toBe(1);
  });

  it.each([
    ["drop", /connection to 127\.0\.0\.1 failed/],
    [503, /HTTP status 503/],
  ] as const)("(%s) that does not mend is an error that may pass, and costs the session", async (answer, message) => {
    server.behave(({ sql }) => (sql === "delete from t" ? answer : undefined));
    await using sessions = open(server);
    await expect(sessions.use((session) => session.run(statement("delete from t")))).rejects.toMatchObject({
      code: "WAREHOUSE_UNREACHABLE",
      transient: true,
      message: expect.stringMatching(message),
    });
    await sessions.use((session) => session.run(statement("select 1")));
    expect(new Set(requestIds("delete from t")).size).toBe(1);
    expect(server.logins).toBe(2);
  });

  it("at the login is tried again", async () => {
    server.behave(({ path }, times) => (path.endsWith("login-request") && times <= 2 ? 503 : undefined));
    expect((await runOn(server, "select 1")).rows).toEqual([["ok"]]);
  });

  it("that stays broken at the login is an error that may pass", async () => {
    server.behave(({ path }) => (path.endsWith("login-request") ? "drop" : undefined));
    await expect(runOn(server, "select 1")).rejects.toMatchObject({ code: "WAREHOUSE_UNREACHABLE", transient: true });
  });

  it("does not matter to a statement that takes long: its result is asked for until it is there", async () => {
    server.behave(({ path, sql }, times) => {
      const running = {
        success: true,
        code: "333334",
        message: null,
        data: { queryId: "q", getResultUrl: "/queries/q/result" },
      };
      if (sql === "select 1") return running;
      return path === "/queries/q/result" && times < 3
        ? { ...running, code: "333333" }
        : path === "/queries/q/result"
          ? resultOk()
          : undefined;
    });
    expect((await runOn(server, "select 1")).rows).toEqual([["done"]]);
    expect(server.statements).toEqual(["select 1"]);
  });
});

describe("telling a statement to stop", () => {
  const reason = new Error("stopped by the test");

  it("cancels it on the server, gives the reason, and costs the session", async () => {
    const stop = new AbortController();
    let release: (() => void) | undefined;
    server.behave(async ({ path, sql }) => {
      if (path === "/queries/v1/abort-request") release?.();
      if (sql !== "select endless") return undefined;
      const cancelled = new Promise<void>((resolve) => (release = resolve));
      stop.abort(reason);
      await cancelled;
      return refusal("000604", "SQL execution canceled", "57014");
    });
    await using sessions = open(server);
    const running = sessions.use((session) => session.run(statement("select endless"), { signal: stop.signal }));
    await expect(running).rejects.toBe(reason);
    const cancel = server.asked.find(({ path }) => path === "/queries/v1/abort-request");
    expect(cancel?.body.requestId).toBe(requestIds("select endless")[0]);
  });

  it("does not wait for a server that never answers", async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    server.behave(({ sql, path }) => {
      if (path === "/queries/v1/abort-request") return "silence";
      if (sql !== "select endless") return undefined;
      stop.abort(reason);
      return "silence";
    });
    const sessions = open(server, { clock });
    const running = sessions.use((session) => session.run(statement("select endless"), { signal: stop.signal }));
    const ended = expect(running).rejects.toBe(reason);
    await vi.waitFor(() => expect(clock.nextWake).toBeDefined());
    await clock.advance(clock.nextWake ?? 0);
    await ended;
    await sessions[Symbol.asyncDispose]();
    expect(server.logouts).toBe(1);
  });

  it("sends nothing where it was told before", async () => {
    await using sessions = open(server);
    const run = sessions.use((session) => session.run(statement("select 1"), { signal: AbortSignal.abort(reason) }));
    await expect(run).rejects.toBe(reason);
    expect(server.asked).toEqual([]);
  });

  it("does not wait for a login, and closes the session that comes of it", async () => {
    const stop = new AbortController();
    let answer: (() => void) | undefined;
    server.behave(async ({ path }) => {
      if (!path.endsWith("login-request")) return undefined;
      const told = new Promise<void>((resolve) => (answer = resolve));
      stop.abort(reason);
      await told;
      return undefined;
    });
    const sessions = open(server);
    const running = sessions.use((session) => session.run(statement("select 1"), { signal: stop.signal }));
    await expect(running).rejects.toBe(reason);
    answer?.();
    await sessions[Symbol.asyncDispose]();
    expect(conversation()).toEqual(["login", "logout"]);
  });
});

describe("a key that was refused", () => {
  it("is read again for the next login", async () => {
    const folder = await mkdtemp(join(tmpdir(), "novadrive-sessions-"));
    try {
      const keyFile = join(folder, "key.p8");
      await writeFile(keyFile, KEY, { mode: 0o600 });
      server.behave(({ path }, times) =>
        path.endsWith("login-request") && times === 1 ? refusal("390144", "JWT token is invalid.", "08004") : undefined,
      );
      await using sessions = open(server, { keyFile });
      const once = () => sessions.use((session) => session.run(statement("select 1")));
      await expect(once()).rejects.toMatchObject({ code: "WAREHOUSE_AUTH_FAILED" });
      await writeFile(keyFile, "not a key");
      await expect(once()).rejects.toMatchObject({ code: "CONFIG_INVALID" });
      await writeFile(keyFile, KEY);
      expect((await once()).rows).toEqual([["ok"]]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

function resultOk(): object {
  return {
    success: true,
    data: {
      rowtype: [{ name: "status", type: "text", nullable: true }],
      rowset: [["done"]],
      total: 1,
      returned: 1,
      queryResultFormat: "json",
      version: 1,
      parameters: [],
      queryId: "q",
    },
  };
}
