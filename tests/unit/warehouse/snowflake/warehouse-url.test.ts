import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NovaError } from "../../../../runtime/core/errors.ts";
import { parseSnowflakeUrl } from "../../../../runtime/warehouse/snowflake/warehouse-url.ts";

const BASE = "snowflake://myorg-acct/NOVADRIVE?warehouse=DEFAULT_WH&role=RUNTIME";
const LOCAL = "&host=127.0.0.1&port=8123&protocol=http";

function refusal(url: string): NovaError {
  try {
    parseSnowflakeUrl(url);
  } catch (thrown) {
    if (thrown instanceof NovaError) return thrown;
    throw thrown;
  }
  throw new Error("The URL was taken.");
}

describe("a Snowflake URL", () => {
  it("means workload identity where it names no key", () => {
    expect(parseSnowflakeUrl(BASE)).toEqual({
      engine: "snowflake",
      account: "myorg-acct",
      database: "NOVADRIVE",
      warehouse: "DEFAULT_WH",
      role: "RUNTIME",
      login: { authenticator: "WORKLOAD_IDENTITY" },
      protocol: "https",
    });
  });

  it("means a key pair where it names a user and a key", () => {
    const { user, login } = parseSnowflakeUrl(`${BASE}&user=svc&private_key=/etc/novadrive/rsa_key.p8`);
    expect(user).toBe("svc");
    expect(login).toEqual({
      authenticator: "SNOWFLAKE_JWT",
      privateKey: { kind: "file", path: "/etc/novadrive/rsa_key.p8" },
    });
  });

  it.each([
    ["key.p8", { kind: "file", path: "key.p8" }],
    ["file:///etc/key.p8", { kind: "file", path: "/etc/key.p8" }],
    ["file:key.p8", { kind: "file", path: "key.p8" }],
    [
      "arn:aws:secretsmanager:sa-east-1:123456789012:secret:novadrive/key-AbCdEf",
      {
        kind: "secret",
        id: "arn:aws:secretsmanager:sa-east-1:123456789012:secret:novadrive/key-AbCdEf",
        region: "sa-east-1",
      },
    ],
    ["aws-secretsmanager:novadrive/key?region=sa-east-1", { kind: "secret", id: "novadrive/key", region: "sa-east-1" }],
    ["aws-secretsmanager:novadrive/key", { kind: "secret", id: "novadrive/key" }],
  ])("reads the reference %s to a private key", (text, privateKey) => {
    expect(parseSnowflakeUrl(`${BASE}&user=svc&private_key=${text}`).login).toEqual({
      authenticator: "SNOWFLAKE_JWT",
      privateKey,
    });
  });

  it("reads bare names as Snowflake does, and quoted ones as they are", () => {
    const quoted = "snowflake://o-a/%22My%20Db%22?warehouse=wh_1&role=%22Quoted%20%22%22Role%22";
    expect(parseSnowflakeUrl(quoted)).toMatchObject({ database: "My Db", warehouse: "WH_1", role: 'Quoted "Role' });
  });

  it.each([
    ["myorg-acct.snowflakecomputing.com", "myorg-acct"],
    ["xy12345.sa-east-1", "xy12345.sa-east-1"],
    ["my_org-acct", "my_org-acct"],
  ])("reads the account %s", (text, account) => {
    expect(parseSnowflakeUrl(BASE.replace("myorg-acct", text)).account).toBe(account);
  });

  it("takes another host for tests, and plain http on this machine alone", () => {
    expect(parseSnowflakeUrl(BASE + LOCAL)).toMatchObject({ host: "127.0.0.1", port: 8123, protocol: "http" });
    expect(refusal(`${BASE}&host=example.com&protocol=http`).message).toMatch(/show tokens to the network/);
  });

  it.each([
    ["nonsense", /begins with snowflake:\/\//],
    ["snowflake:///db?warehouse=w&role=r", /names no account/],
    ["snowflake://o-a?warehouse=w&role=r", /names no database/],
    ["snowflake://o-a/db?role=r", /names no warehouse/],
    ["snowflake://o-a/db?warehouse=w", /names no role/],
    ["snowflake://o-a/db/schema?warehouse=w&role=r", /more than a database/],
    ["snowflake://o-a:443/db?warehouse=w&role=r", /port after the account/],
    [`${BASE}&warehouse=w`, /gives warehouse twice/],
    [`${BASE}&authenticator=EXTERNALBROWSER`, /authenticator that is not offered/],
    [`${BASE}&authenticator=snowflake_jwt`, /names no private key/],
    [`${BASE}&private_key=k.p8`, /no user that it belongs to/],
    [`${BASE}&user=u&private_key=k.p8&authenticator=workload_identity`, /workload identity does not use/],
    [`${BASE}&user=u&private_key=arn:aws:s3:::bucket`, /no reference to a secret/],
    [`${BASE}&host=a/b`, /no host name/],
    [`${BASE}&port=99999&host=h`, /not between 1 and 65535/],
    ["snowflake://o-a/%zz?warehouse=w&role=r", /no escape/],
    ["snowflake://o-a/a%20b?warehouse=w&role=r", /database that is not an identifier/],
  ])("refuses %s, and says why", (url, message) => {
    const error = refusal(url);
    expect(error.code).toBe("CONFIG_INVALID");
    expect(error.message).toMatch(message);
    expect(error.remedy).not.toBe("");
  });

  it("tells every problem at once", () => {
    const { message } = refusal("snowflake://o-a?role=r&wherehouse=w");
    expect(message.split("\n")).toEqual([
      'NOVADRIVE_WAREHOUSE_URL has the unknown parameter "wherehouse"; did you mean warehouse?',
      "NOVADRIVE_WAREHOUSE_URL names no database.",
      "NOVADRIVE_WAREHOUSE_URL names no warehouse.",
    ]);
  });

  it("says what it takes where no parameter is near", () => {
    const { message, remedy } = refusal(`${BASE}&schema=stage`);
    expect(message).toBe('NOVADRIVE_WAREHOUSE_URL has the unknown parameter "schema".');
    expect(remedy).toContain("warehouse, role, user");
  });

  const SECRET = "hunter2-very-secret";
  it.each([
    `snowflake://svc:${SECRET}@o-a/db?warehouse=w&role=r`,
    `snowflake://${SECRET}@o-a/db?warehouse=w&role=r`,
    `${BASE}&password=${SECRET}`,
    `${BASE}&passphrase=${SECRET}`,
    `${BASE}&user=u&private_key=-----BEGIN%20PRIVATE%20KEY-----${SECRET}`,
    `${BASE}&port=${SECRET}`,
    `${BASE}&authenticator=${SECRET}`,
    `${BASE}&role=${SECRET}`,
  ])("never quotes what may be a secret: %s", (url) => {
    const error = refusal(url);
    expect(`${error.message} ${error.remedy} ${JSON.stringify(error.report())}`).not.toContain(SECRET);
  });

  it("is taken or refused with an error of its own, never shown, whatever it holds", () => {
    const part = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.constantFrom("%", "@", ":", "//", "?", "&", "=", "[", '"'),
    );
    const names = fc.constantFrom(
      "warehouse",
      "role",
      "user",
      "private_key",
      "host",
      "port",
      "protocol",
      "authenticator",
    );
    fc.assert(
      fc.property(part, part, part, fc.array(fc.tuple(names, part)), (login, account, path, parameters) => {
        const query = parameters.map(([name, value]) => `${name}=${value}`).join("&");
        const canary = "hunter2hunter2";
        const url = `snowflake://${login}:${canary}@${account}/${path}?${query}&role=${canary}${login}`;
        try {
          parseSnowflakeUrl(url);
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: "CONFIG_INVALID" });
          expect(JSON.stringify(thrown instanceof NovaError && thrown.report())).not.toContain(canary);
        }
      }),
    );
  });

  it("points from a password to what takes its place", () => {
    expect(refusal(`${BASE}&password=x`).remedy).toMatch(/workload identity.*private_key=/);
  });
});
