/** The login of the box: its AWS role, proven by a signed request, and no secret of ours. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { systemClock } from "../../../../runtime/core/clock.ts";
import { openSessions } from "../../../../runtime/warehouse/snowflake/sessions.ts";
import { UsageMeter } from "../../../../runtime/warehouse/snowflake/usage.ts";
import { parseSnowflakeUrl } from "../../../../runtime/warehouse/snowflake/warehouse-url.ts";
import { hurryDriver, statement } from "./driver-fixture.ts";
import { protocolServer, refusal, type ProtocolServer } from "./protocol-server.ts";

let server: ProtocolServer;
let home: string;
beforeEach(async () => {
  server = await protocolServer();
  home = await mkdtemp(join(tmpdir(), "novadrive-identity-"));
  vi.stubEnv("HOME", home);
  vi.stubEnv("AWS_REGION", "sa-east-1");
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
  // The driver shows an identity to Snowflake's hosts alone, unless it is told of others.
  vi.stubEnv("SNOWFLAKE_WIF_ALLOWED_HOST_SUFFIXES", "localhost");
  hurryDriver();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await server[Symbol.asyncDispose]();
  await rm(home, { recursive: true });
});

async function login(host = "localhost"): Promise<void> {
  const target = parseSnowflakeUrl(
    `snowflake://myorg-acct/NOVADRIVE?warehouse=WH&role=RUNTIME&host=${host}&port=${server.port}&protocol=http`,
  );
  await using sessions = openSessions({ target, warn: () => undefined, usage: new UsageMeter(systemClock) });
  await sessions.use((session) => session.run(statement("select 1")));
}

it("shows the machine's AWS identity, and sends no user, key or password", async () => {
  await login();
  const { data } = server.asked[0]?.body ?? {};
  expect(data).toMatchObject({ AUTHENTICATOR: "WORKLOAD_IDENTITY", PROVIDER: "AWS" });
  expect([data.LOGIN_NAME, data.PASSWORD]).toEqual([undefined, undefined]);
  const proof = JSON.parse(Buffer.from(data.TOKEN, "base64").toString());
  expect(proof.url).toBe("https://sts.sa-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15");
});

it("that Snowflake does not know is told how to become known", async () => {
  server.behave(({ path }) =>
    path.endsWith("login-request") ? refusal("394400", "The workload identity is not known.", "08004") : undefined,
  );
  await expect(login()).rejects.toMatchObject({
    code: "WAREHOUSE_AUTH_FAILED",
    remedy: expect.stringContaining("SET WORKLOAD_IDENTITY"),
  });
});

it("that the machine does not have is said so", async () => {
  vi.stubEnv("AWS_ACCESS_KEY_ID", undefined);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", undefined);
  await expect(login()).rejects.toMatchObject({
    code: "WAREHOUSE_AUTH_FAILED",
    message: expect.stringContaining("no AWS identity"),
  });
  expect(server.asked).toEqual([]);
});

it("is shown to no other host", async () => {
  await expect(login("127.0.0.1")).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringContaining("host that is not Snowflake's"),
  });
  expect(server.asked).toEqual([]);
});
