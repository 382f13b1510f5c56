/** The server that stands in for Snowflake: logins that it refuses, and what goes wrong on demand. */
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startSnowflakeServer, type SnowflakeServer } from "../../support/snowflake/server.ts";
import { TEST_USER, TestClient, type Rows } from "../../support/snowflake/test-client.ts";

/** Of an AWS account that does not exist. */
const ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE";

let server: SnowflakeServer;
let client: TestClient;

beforeEach(async () => {
  hurryDriver();
  server = await startSnowflakeServer({ users: [{ ...TEST_USER, awsAccessKeyId: ACCESS_KEY }] });
  client = await TestClient.connect(server);
  await client.run("CREATE TABLE stage.t (id NUMBER(38,0))");
});

afterEach(async () => {
  await client[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** The driver waits seconds before it asks again. */
function hurryDriver(): void {
  const real = globalThis.setTimeout;
  const hurried = (work: () => void, milliseconds = 0) =>
    real(work, milliseconds >= 500 && milliseconds <= 20_000 ? milliseconds / 100 : milliseconds);
  // The driver gives it no further arguments, and never asks for the promise.
  vi.spyOn(globalThis, "setTimeout").mockImplementation(hurried as typeof setTimeout);
}

const insert = (): Promise<Rows> => client.run("INSERT INTO stage.t SELECT 1");
const count = async (): Promise<unknown> => (await client.run("SELECT COUNT(*) AS n FROM stage.t"))[0]?.["N"];

describe("a login", () => {
  const refused = async (options: Parameters<typeof TestClient.connect>[1]): Promise<unknown> =>
    TestClient.connect(server, options).then(
      async (connected) => {
        await connected[Symbol.asyncDispose]();
        return "accepted";
      },
      (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : error),
    );

  it("needs a key that is registered, a user that there is, and a clock that is right", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    expect(await refused({})).toBe("accepted");
    expect(await refused({ privateKey: privateKey.export({ format: "pem", type: "pkcs8" }).toString() })).toBe(
      "390144",
    );
    expect(await refused({ username: "NOBODY" })).toBe("390144");
    server.clockOffset = 300_000;
    expect(await refused({})).toBe("390144");
    server.clockOffset = -300_000;
    expect(await refused({})).toBe("390144");
  });

  it("needs a role that was granted, and an address that is let in", async () => {
    expect(await refused({ role: "LOADER" })).toBe("accepted");
    expect(await refused({ role: "ACCOUNTADMIN" })).toBe("390189");
    expect(await refused({ authenticator: "SNOWFLAKE", password: "x" })).toBe("390100");
    expect(await refused({ account: "OTHERORG-OTHER" })).not.toBe("accepted");
    server.blocked = true;
    expect(await refused({})).toBe("390422");
  });

  it("takes a workload's identity that is attested", async () => {
    vi.stubEnv("AWS_REGION", "eu-central-1");
    vi.stubEnv("AWS_ACCESS_KEY_ID", ACCESS_KEY);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
    vi.stubEnv("SNOWFLAKE_WIF_ALLOWED_HOST_SUFFIXES", "127.0.0.1");
    const options = { authenticator: "WORKLOAD_IDENTITY", workloadIdentityProvider: "AWS" } as const;
    expect(await refused(options)).toBe("accepted");
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7ANOTHER");
    expect(await refused(options)).toBe("394601");
    server.clockOffset = 3_600_000;
    vi.stubEnv("AWS_ACCESS_KEY_ID", ACCESS_KEY);
    expect(await refused(options)).toBe("394601");
  });

  it("is known by its session", async () => {
    expect(server.sessions).toMatchObject([
      { user: "NOVADRIVE", inTransaction: false, client: { APPLICATION: "novadrive" } },
    ]);
    await client.run("BEGIN");
    expect(server.sessions).toMatchObject([{ inTransaction: true }]);
  });
});

describe("a connection", () => {
  it("that breaks before a statement is executed costs nothing", async () => {
    const rule = server.misbehave({ fault: "drop-before", at: 1 });
    await insert();
    expect([rule.hits, await count()]).toEqual([1, "1"]);
    expect(server.log.at(-2)).toMatchObject({ requests: 2, done: true });
  });

  it("that breaks after a statement took effect does not make it take effect twice", async () => {
    server.misbehave({ fault: "drop-after", matches: ({ sql }) => sql.startsWith("INSERT") });
    await insert();
    expect(await count()).toBe("1");
    expect(server.log.at(-2)).toMatchObject({ requests: 2 });
  });

  it("can stay broken, whatever became of a COMMIT", async () => {
    await client.run("BEGIN");
    await insert();
    const rule = server.misbehave({ fault: "drop-after", matches: ({ sql }) => sql === "COMMIT", times: Infinity });
    await expect(client.run("COMMIT")).rejects.toThrow();
    expect(server.log.at(-1)).toMatchObject({ sql: "COMMIT", done: true });
    rule.remove();
    expect(await count()).toBe("1");
  });

  it("meets 503 once, and for ever", async () => {
    server.misbehave({ fault: "status", status: 503, at: 1, times: 2 });
    await insert();
    expect(server.log.at(-1)).toMatchObject({ requests: 3 });
    server.misbehave({ fault: "status", status: 503, times: Infinity });
    await expect(insert()).rejects.toThrow();
    server.misbehaviour.clear();
    expect(await count()).toBe("1");
  });

  it("meets what is wrong with an endpoint", async () => {
    server.misbehave({ fault: "status", status: 503, endpoint: "/session/v1/login-request" });
    await using again = await TestClient.connect(server, { sfRetryMaxLoginRetries: 3 });
    expect(await again.run("SELECT 1 AS a")).toEqual([{ A: "1" }]);
  });

  it("may lose the answer to a login, which leaves a session behind", async () => {
    server.misbehave({ fault: "drop-after", endpoint: "/session/v1/login-request" });
    await using again = await TestClient.connect(server, { sfRetryMaxLoginRetries: 3 });
    expect(await again.run("SELECT 1 AS a")).toEqual([{ A: "1" }]);
    expect(server.sessions).toHaveLength(3);
  });

  it("may be slow", async () => {
    const rule = server.misbehave({ fault: "delay", milliseconds: 100, at: 1 });
    await insert();
    expect([rule.hits, await count()]).toEqual([1, "1"]);
  });
});

describe("a statement", () => {
  it("fails as it is told, the n-th from now", async () => {
    server.misbehave({ fault: "error", code: "000625", sqlState: "57014", message: "locked", at: 2 });
    await insert();
    await expect(insert()).rejects.toMatchObject({ code: "000625", message: "locked", sqlState: "57014" });
    expect(await count()).toBe("1");
    expect(server.log.at(-2)).toMatchObject({ done: false, error: { code: "000625" } });
  });

  it("is answered later if it takes long", async () => {
    await using slow = await startSnowflakeServer({ users: [TEST_USER], inProgressAfterMs: 20 });
    await using own = await TestClient.connect(slow);
    const many = "TABLE(GENERATOR(ROWCOUNT => 20000))";
    const rows = await own.run(`SELECT COUNT(*) AS n FROM ${many} AS a CROSS JOIN ${many} AS b`);
    expect(rows).toEqual([{ N: "400000000" }]);
    expect(slow.log.at(-1)).toMatchObject({ requests: 1, done: true });
  });

  it("loses its transaction", async () => {
    await client.run("BEGIN");
    await insert();
    server.misbehave({ fault: "transaction-killed", at: 1 });
    await insert();
    await client.run("COMMIT");
    expect(await count()).toBe("1");
  });

  it("finds the staged files gone", async () => {
    const folder = await mkdtemp(join(tmpdir(), "novadrive-lost-"));
    const file = join(folder, "a.csv.gz");
    await writeFile(file, gzipSync("1\n"));
    await client.run("CREATE STAGE pipeline.files");
    await client.run(`PUT 'file://${file}' @pipeline.files/a/ SOURCE_COMPRESSION = GZIP AUTO_COMPRESS = FALSE`);
    server.misbehave({ fault: "stage-files-lost", matches: ({ sql }) => sql.startsWith("COPY") });
    expect(await client.run("COPY INTO stage.t FROM @pipeline.files/a/ FILE_FORMAT = (TYPE = CSV)")).toEqual([
      { status: "Copy executed with 0 files processed." },
    ]);
    await rm(folder, { recursive: true });
  });
});

describe("a session", () => {
  it("whose token has expired is renewed, with its transaction", async () => {
    await client.run("BEGIN");
    await insert();
    const rule = server.misbehave({ fault: "session-expired", at: 1 });
    await insert();
    await client.run("COMMIT");
    expect([rule.hits, await count()]).toEqual([1, "2"]);
  });

  it("that cannot be renewed is over", async () => {
    server.misbehave({ fault: "master-expired", at: 1 });
    await expect(insert()).rejects.toThrow();
    expect(client.connection.isUp()).toBe(false);
    expect(server.log.at(-1)).toMatchObject({ done: false });
  });

  it("does not survive a restart; what was committed does", async () => {
    await insert();
    await client.run("BEGIN");
    await insert();
    await server.restart();
    await expect(count()).rejects.toThrow();
    client = await TestClient.connect(server);
    expect(await count()).toBe("1");
    expect(await client.run("SHOW TRANSACTIONS")).toEqual([]);
  });

  it("may meet the restart in the middle of a statement", async () => {
    server.misbehave({ fault: "restart", at: 1 });
    await expect(insert()).rejects.toThrow();
    client = await TestClient.connect(server);
    expect(await count()).toBe("0");
  });
});
