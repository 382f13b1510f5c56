/** The stack's configuration: what is refused, in which words, and what is taken for granted. */
import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { STACK_KINDS } from "../../infra/stack-kind.ts";
import { testTls } from "../support/login.ts";
import { makeCertificates } from "../support/tls/certificates.ts";
import { checkConfiguration, type RawConfiguration, type Settings } from "../../infra/config.ts";

const made = makeCertificates();
const NOW = new Date();

const ACCOUNT = {
  "aws:region": "sa-east-1",
  "snowflake:organizationName": "ACME",
  "snowflake:accountName": "MAIN",
  "snowflake:user": "DEPLOYER",
};

function check(values: Record<string, string>, rest: Partial<RawConfiguration> = {}) {
  return checkConfiguration({
    project: "novadrive",
    values: { ...ACCOUNT, ...values },
    secretKeys: [],
    environment: {},
    hasSnowflakeFile: false,
    now: NOW,
    ...rest,
  });
}

function problemsOf(values: Record<string, string>, rest: Partial<RawConfiguration> = {}): readonly string[] {
  const checked = check(values, rest);
  return "problems" in checked ? checked.problems : [];
}

function settingsOf(values: Record<string, string>, rest: Partial<RawConfiguration> = {}): Settings {
  const checked = check(values, rest);
  if ("problems" in checked) throw new Error(checked.problems.join("\n"));
  return checked.settings;
}

describe("defaults", () => {
  it("need no more than a region and an account", () => {
    expect(settingsOf({})).toEqual({
      kind: STACK_KINDS.prod,
      aws: { region: "sa-east-1", profile: undefined },
      snowflakeConnection: { organizationName: "ACME", accountName: "MAIN", user: "DEPLOYER" },
      placement: { instanceType: "t2.large", subnetId: undefined },
      host: { instanceType: "t2.large", rootVolumeGb: 30, cpuCredits: "standard", keyName: undefined },
      stateVolume: { sizeGb: 20 },
      secretValues: { sourceUrl: undefined, uiPasswordHash: undefined, tlsKey: undefined },
      tlsCertificate: undefined,
      observability: { logRetentionDays: 30, alertEmail: undefined },
      network: { uiPort: 8080, uiCidrs: [], sourcePort: 5432, sourceCidrs: ["0.0.0.0/0"] },
      warehouse: {
        database: "NOVADRIVE",
        warehouse: "DEFAULT_WH",
        size: "XSMALL",
        autoSuspendSeconds: 60,
        statementTimeoutSeconds: 3600,
      },
      snowflakeAccount: { organization: "ACME", account: "MAIN" },
      access: { prefix: "NOVADRIVE", readerSeesStage: false },
      runtimeLogin: { cidrs: [], keyPair: undefined },
      runtime: { schedule: "0 3 * * *", verifySchedule: "0 5 * * 0", timezone: "UTC" },
      monthlyCreditQuota: 0,
    });
  });
});

describe("an empty setting", () => {
  it("is one that is not set, which Pulumi.yaml cannot say otherwise", () => {
    const optional = ["subnetId", "keyName", "sourceUrl", "uiPasswordHash", "tlsCertificate", "tlsKey", "alertEmail"];
    const empty = Object.fromEntries(optional.map((name) => [`novadrive:${name}`, ""]));
    expect(settingsOf(empty)).toEqual(settingsOf({}));
    expect(problemsOf({ "aws:region": "" })).toEqual(["aws:region is not set: pulumi config set aws:region sa-east-1"]);
  });
});

describe("problems", () => {
  it.each([
    [
      "aws:region",
      "Sao Paulo",
      "aws:region must be the name of an AWS region (it is Sao Paulo): pulumi config set aws:region sa-east-1",
    ],
    [
      "novadrive:instanceType",
      "large",
      "novadrive:instanceType must be the name of an EC2 instance type (it is large): pulumi config set novadrive:instanceType t2.large",
    ],
    [
      "novadrive:rootVolumeGb",
      "9",
      "novadrive:rootVolumeGb must be a whole number from 10 to 16384 (it is 9): pulumi config set novadrive:rootVolumeGb 30",
    ],
    [
      "novadrive:uiPort",
      "70000",
      "novadrive:uiPort must be a whole number from 1 to 65535 (it is 70000): pulumi config set novadrive:uiPort 8080",
    ],
    [
      "novadrive:uiPort",
      "80.5",
      "novadrive:uiPort must be a whole number from 1 to 65535 (it is 80.5): pulumi config set novadrive:uiPort 8080",
    ],
    [
      "novadrive:subnetId",
      "vpc-1",
      "novadrive:subnetId must be the id of a subnet (it is vpc-1): pulumi config set novadrive:subnetId subnet-0123456789abcdef0",
    ],
    [
      "novadrive:kind",
      "staging",
      "novadrive:kind must be dev (disposable) or prod (protected) (it is staging): pulumi config set novadrive:kind dev",
    ],
    [
      "novadrive:uiOpenToTheWorld",
      "no",
      "novadrive:uiOpenToTheWorld must be true or false (it is no): pulumi config set novadrive:uiOpenToTheWorld true",
    ],
    [
      "novadrive:instanceType",
      "t4g.large",
      "novadrive:instanceType must be an x86-64 type, for which the bundle's Node.js and native modules are built; this one is ARM (it is t4g.large): pulumi config set novadrive:instanceType t2.large",
    ],
    [
      "novadrive:cpuCredits",
      "none",
      "novadrive:cpuCredits must be standard (no surprise on the bill) or unlimited (no throttling) (it is none): pulumi config set novadrive:cpuCredits standard",
    ],
    [
      "novadrive:stateVolumeGb",
      "0",
      "novadrive:stateVolumeGb must be a whole number from 1 to 16384 (it is 0): pulumi config set novadrive:stateVolumeGb 20",
    ],
    [
      "novadrive:logRetentionDays",
      "31",
      "novadrive:logRetentionDays must be a number of days that CloudWatch offers: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653 (it is 31): pulumi config set novadrive:logRetentionDays 30",
    ],
    [
      "novadrive:alertEmail",
      "data",
      "novadrive:alertEmail must be an e-mail address (it is data): pulumi config set novadrive:alertEmail data@example.com",
    ],
    [
      "novadrive:tlsCertificate",
      "fullchain.pem",
      "novadrive:tlsCertificate must be a certificate, its chain behind it, in PEM form: pulumi config set novadrive:tlsCertificate < fullchain.pem",
    ],
    [
      "novadrive:database",
      "novadrive",
      "novadrive:database must be an UPPER CASE name of letters, digits and _ (Snowflake's own form) (it is novadrive): pulumi config set novadrive:database NOVADRIVE",
    ],
    [
      "novadrive:warehouseSize",
      "TINY",
      "novadrive:warehouseSize must be one of XSMALL, SMALL, MEDIUM, LARGE, XLARGE, XXLARGE, XXXLARGE, X4LARGE (it is TINY): pulumi config set novadrive:warehouseSize XSMALL",
    ],
    [
      "novadrive:autoSuspendSeconds",
      "5",
      "novadrive:autoSuspendSeconds must be a whole number from 60 to 86400 (it is 5): pulumi config set novadrive:autoSuspendSeconds 60",
    ],
    [
      "snowflake:accountName",
      "acme-main.snowflakecomputing.com",
      "snowflake:accountName must be the account's name alone, without organization, region or host name (it is acme-main.snowflakecomputing.com): pulumi config set snowflake:accountName <account>",
    ],
    [
      "novadrive:uiCidrs",
      "203.0.113.7/32",
      "novadrive:uiCidrs must be a list of networks such as 203.0.113.7/32 (it is 203.0.113.7/32): pulumi config set --path 'novadrive:uiCidrs[0]' 203.0.113.7/32",
    ],
    [
      "novadrive:uiCidrs",
      '["10.1.2.3/8"]',
      `novadrive:uiCidrs has "10.1.2.3/8", which is not the exact form of a network; write 10.0.0.0/8 (it is ["10.1.2.3/8"]): pulumi config set --path 'novadrive:uiCidrs[0]' 203.0.113.7/32`,
    ],
    [
      "novadrive:uiCidrs",
      '["office"]',
      `novadrive:uiCidrs has "office", which is not the exact form of a network; write it like 203.0.113.7/32 or 2001:db8::/32 (it is ["office"]): pulumi config set --path 'novadrive:uiCidrs[0]' 203.0.113.7/32`,
    ],
    [
      "novadrive:uiCidrs",
      '["10.0.0.0/8","10.0.0.0/8"]',
      `novadrive:uiCidrs has 10.0.0.0/8 twice (it is ["10.0.0.0/8","10.0.0.0/8"]): pulumi config set --path 'novadrive:uiCidrs[0]' 203.0.113.7/32`,
    ],
  ])("%s = %s is refused with the command that mends it", (key, value, message) => {
    expect(problemsOf({ [key]: value })).toEqual([message]);
  });

  it("come all at once", () => {
    expect(problemsOf({ "novadrive:uiPort": "x", "novadrive:kind": "x", "novadrive:database": "x" })).toHaveLength(3);
  });

  it("has a region that is missing", () => {
    expect(
      checkConfiguration({
        project: "p",
        values: {},
        secretKeys: [],
        environment: {},
        hasSnowflakeFile: true,
        now: NOW,
      }),
    ).toEqual({
      problems: ["aws:region is not set: pulumi config set aws:region sa-east-1"],
    });
  });

  it("names a misspelt setting and those there are", () => {
    expect(problemsOf({ "novadrive:uiport": "8080" })).toEqual([
      expect.stringMatching(
        /^novadrive:uiport is not a setting of this program \(those are novadrive:kind, novadrive:instanceType, .*novadrive:uiPort.*\): pulumi config rm novadrive:uiport$/,
      ),
    ]);
    expect(problemsOf({ "snowflake:password": "hunter2" })).toEqual([
      expect.stringMatching(
        /^snowflake:password is not a setting of this program .*pulumi config rm snowflake:password$/,
      ),
    ]);
  });

  it("leaves the settings of others alone", () => {
    expect(problemsOf({ "pulumi:tags": "{}", "gcp:project": "p" })).toEqual([]);
  });

  it.each([["0.0.0.0/0"], ["::/0"], ["0.0.0.0/1"], ["2000::/3"]])(
    "%s opens the console to everybody, and must be said out loud",
    (cidr) => {
      const configured = { "novadrive:uiCidrs": JSON.stringify(["203.0.113.7/32", cidr]) };
      expect(problemsOf(configured)).toEqual([
        `novadrive:uiCidrs has ${cidr}, which opens the console to the whole internet. ` +
          "Name the networks that need it: pulumi config set --path 'novadrive:uiCidrs[0]' 203.0.113.7/32. " +
          "If everybody is really meant: pulumi config set novadrive:uiOpenToTheWorld true",
      ]);
      const loud = { ...configured, "novadrive:uiOpenToTheWorld": "true" };
      expect(settingsOf(loud).network.uiCidrs).toEqual(["203.0.113.7/32", cidr]);
    },
  );
});

describe("Snowflake's account", () => {
  const nothing = { values: { "aws:region": "sa-east-1" } };

  it("is asked for piece by piece when nobody knows it", () => {
    expect(problemsOf({}, nothing)).toEqual([
      "snowflake:organizationName is not set, nor SNOWFLAKE_ORGANIZATION_NAME in the environment: pulumi config set snowflake:organizationName <organization>",
      "snowflake:accountName is not set, nor SNOWFLAKE_ACCOUNT_NAME in the environment: pulumi config set snowflake:accountName <account>",
      "snowflake:user is not set, nor SNOWFLAKE_USER in the environment: pulumi config set snowflake:user <user>",
    ]);
  });

  it("may come from the environment, which the provider reads itself", () => {
    const environment = {
      SNOWFLAKE_ORGANIZATION_NAME: "ACME",
      SNOWFLAKE_ACCOUNT_NAME: "MAIN",
      SNOWFLAKE_USER: "DEPLOYER",
    };
    expect(settingsOf({}, { ...nothing, environment }).snowflakeConnection).toEqual({});
  });

  it("need not come with a user who stands in a profile of the provider's own file", () => {
    const account = { "snowflake:organizationName": "ACME", "snowflake:accountName": "MAIN" };
    const values = { "aws:region": "sa-east-1", ...account };
    const connection = { organizationName: "ACME", accountName: "MAIN" };
    expect(settingsOf({}, { values, hasSnowflakeFile: true }).snowflakeConnection).toEqual(connection);
    expect(settingsOf({}, { values, environment: { SNOWFLAKE_PROFILE: "work" } }).snowflakeConnection).toEqual(
      connection,
    );
  });

  it("must be said even where a profile has it, since the box has no such file", () => {
    expect(problemsOf({}, { ...nothing, hasSnowflakeFile: true })).toEqual([
      expect.stringMatching(/^snowflake:organizationName is not set/),
      expect.stringMatching(/^snowflake:accountName is not set/),
    ]);
  });
});

describe("access to Snowflake", () => {
  const SECRET = "arn:aws:secretsmanager:sa-east-1:123456789012:secret:novadrive/key-AbCdEf";
  const pair = (bits: number) => generateKeyPairSync("rsa", { modulusLength: bits });
  const { publicKey, privateKey } = pair(2048);
  const pem = publicKey.export({ format: "pem", type: "spki" }).toString();
  const base64 = publicKey.export({ format: "der", type: "spki" }).toString("base64");
  const key = "novadrive:warehousePublicKey";

  it("has names that begin with the database's, unless it is said otherwise", () => {
    expect(settingsOf({ "novadrive:database": "SALES" }).access.prefix).toBe("SALES");
    expect(settingsOf({ "novadrive:database": "SALES", "novadrive:accessPrefix": "X" }).access.prefix).toBe("X");
  });

  it("has names that Snowflake has room for", () => {
    expect(problemsOf({ "novadrive:database": "D".repeat(241) })).toEqual([
      "novadrive:accessPrefix, or the database's name in its place, is longer than 240 characters: pulumi config set novadrive:accessPrefix NOVADRIVE",
    ]);
    expect(problemsOf({ "novadrive:database": "D".repeat(241), "novadrive:accessPrefix": "X" })).toEqual([]);
  });

  it.each([
    ["PEM", pem],
    ["the older PEM", publicKey.export({ format: "pem", type: "pkcs1" }).toString()],
    ["what stands between the lines of a PEM", base64.replaceAll(/.{64}/g, "$&\n")],
  ])("takes a public key as %s", (_, text) => {
    const values = { [key]: text, "novadrive:warehousePublicKey2": pem, "novadrive:warehousePrivateKeySecret": SECRET };
    expect(settingsOf(values).runtimeLogin.keyPair).toEqual({
      publicKey: base64,
      secondPublicKey: base64,
      privateKeySecret: SECRET,
    });
  });

  it.each([
    ["the private key", privateKey.export({ format: "pem", type: "pkcs8" }).toString()],
    ["a key that is too short", pair(1024).publicKey.export({ format: "pem", type: "spki" }).toString()],
    [
      "a key of another kind",
      generateKeyPairSync("ed25519").publicKey.export({ format: "pem", type: "spki" }).toString(),
    ],
    ["no key", "rsa_key.pub"],
  ])("refuses %s as the public key, and does not repeat it", (_, text) => {
    expect(problemsOf({ [key]: text, "novadrive:warehousePrivateKeySecret": SECRET })).toEqual([
      "novadrive:warehousePublicKey must be the public key of an RSA key pair of 2048 bits or more, in PEM form: pulumi config set novadrive:warehousePublicKey < rsa_key.pub",
    ]);
  });

  it("has its private half in a secret of the stack's own, unless it names another", () => {
    expect(settingsOf({ [key]: pem }).runtimeLogin.keyPair).toHaveProperty("privateKeySecret", undefined);
    expect(
      settingsOf({ [key]: pem, "novadrive:warehousePrivateKeySecret": SECRET }).runtimeLogin.keyPair,
    ).toHaveProperty("privateKeySecret", SECRET);
  });

  it("is not taken by halves", () => {
    expect(problemsOf({ "novadrive:warehousePrivateKeySecret": SECRET })).toEqual([
      "novadrive:warehousePrivateKeySecret is set without novadrive:warehousePublicKey, by which Snowflake knows the key: " +
        "pulumi config set novadrive:warehousePublicKey < rsa_key.pub",
    ]);
    expect(problemsOf({ "novadrive:warehousePublicKey2": pem })).toEqual([
      expect.stringMatching(/^novadrive:warehousePublicKey2 is set without novadrive:warehousePublicKey, /),
    ]);
    expect(problemsOf({ [key]: pem, "novadrive:warehousePrivateKeySecret": "novadrive/key" })).toEqual([
      expect.stringMatching(/^novadrive:warehousePrivateKeySecret must be the ARN of a secret in AWS Secrets Manager/),
    ]);
  });

  it.each([
    ["2001:db8::/32", "which is IPv6, where Snowflake's network policies take IPv4"],
    ["0.0.0.0/0", "which is far too wide"],
  ])("does not let the runtime's user come from %s", (cidr, why) => {
    expect(problemsOf({ "novadrive:warehouseCidrs": JSON.stringify(["198.51.100.4/32", cidr]) })).toEqual([
      `novadrive:warehouseCidrs has ${cidr}, ${why}: pulumi config set --path 'novadrive:warehouseCidrs[0]' 203.0.113.7/32`,
    ]);
  });
});

describe("a certificate", () => {
  const certificate = (pem: string, now = NOW) => check({ "novadrive:tlsCertificate": pem }, { now });
  const mend = "pulumi config set novadrive:tlsCertificate < fullchain.pem";

  it("is taken with its chain, and without its key, which may be set by hand", () => {
    const chain = `${made.server}${made.between}${made.root}`;
    expect(certificate(chain)).toMatchObject({ settings: { tlsCertificate: chain } });
  });

  it("is refused once it has ended, and before it begins", () => {
    expect(certificate(made.server, new Date("2100-01-01T00:00:00Z"))).toEqual({
      problems: [expect.stringMatching(/^novadrive:tlsCertificate ended on \d{4}-\d\d-\d\d: .* < fullchain\.pem$/)],
    });
    expect(certificate(made.server, new Date("2020-01-01T00:00:00Z"))).toEqual({
      problems: [expect.stringMatching(/^novadrive:tlsCertificate begins only on .*: pulumi config set/)],
    });
  });

  it("comes before those that issued it, and can be read", () => {
    expect(certificate(`${made.between}${made.server}`)).toEqual({
      problems: [
        `novadrive:tlsCertificate has its certificates in the wrong order: number 2 (CN=server.example) did not issue number 1 (CN=between.example); the server's own comes first, behind each the one that issued it: ${mend}`,
      ],
    });
    expect(certificate("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")).toEqual({
      problems: [`novadrive:tlsCertificate cannot be read: its certificate 1 is damaged: ${mend}`],
    });
  });
});

describe("secrets", () => {
  const key = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----";

  it("may not stand in the stack's file as plain text, and are never repeated", () => {
    const problems = problemsOf({ "snowflake:privateKey": key, "snowflake:token": "t0ps3cret" });
    expect(problems).toEqual([
      "snowflake:privateKey is a secret but stands in the stack's file as plain text: pulumi config set --secret snowflake:privateKey < rsa_key.p8",
      "snowflake:token is a secret but stands in the stack's file as plain text: pulumi config set --secret snowflake:token",
    ]);
  });

  it("of the box may come from the configuration, encrypted", () => {
    const values = {
      "novadrive:sourceUrl": "postgres://loader:hunter2@db.example:5432/shop",
      "novadrive:uiPasswordHash": "$scrypt$ln=17,r=8,p=1$c2FsdA$aGFzaA",
    };
    const secretKeys = Object.keys(values);
    expect(settingsOf(values, { secretKeys }).secretValues).toEqual({
      sourceUrl: values["novadrive:sourceUrl"],
      uiPasswordHash: values["novadrive:uiPasswordHash"],
      tlsKey: undefined,
    });
    const plain = problemsOf(values);
    expect(plain).toHaveLength(2);
    expect(plain.join("\n")).not.toMatch(/hunter2|aGFzaA/);
    const wrong = problemsOf({ "novadrive:sourceUrl": "mysql://loader:hunter2@db.example/shop" }, { secretKeys });
    expect(wrong).toEqual([
      "novadrive:sourceUrl must be a URL such as postgres://loader:<password>@db.example:5432/shop: pulumi config set --secret novadrive:sourceUrl",
    ]);
  });

  it("are not taken where they would be read by everybody", () => {
    const both = `-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n${key}`;
    const problems = problemsOf({ "novadrive:tlsCertificate": both });
    expect(problems).toEqual([
      expect.stringMatching(
        /^novadrive:tlsCertificate has a private key in it, which is now in plain text .* < fullchain\.pem$/,
      ),
    ]);
    expect(problems[0]).not.toContain("MIIB");
  });

  it("of the certificate come with the certificate", () => {
    const values = { "novadrive:tlsKey": testTls().key };
    expect(problemsOf(values, { secretKeys: ["novadrive:tlsKey"] })).toEqual([
      "novadrive:tlsKey is set without the certificate that it belongs to: pulumi config set novadrive:tlsCertificate < fullchain.pem",
    ]);
  });

  it("of the certificate belong to it, are no other's, and need no passphrase", () => {
    const secretKeys = ["novadrive:tlsKey"];
    const given = (tlsKey: string) =>
      check(
        { "novadrive:tlsCertificate": `${made.server}${made.between}`, "novadrive:tlsKey": tlsKey },
        { secretKeys },
      );
    expect(given(made.key)).toMatchObject({ settings: { secretValues: { tlsKey: made.key } } });
    for (const wrong of [made.otherKey, made.betweenKey]) {
      expect(given(wrong)).toEqual({
        problems: [
          "novadrive:tlsKey does not belong to novadrive:tlsCertificate, whose first certificate has to be the page's own: pulumi config set --secret novadrive:tlsKey < privkey.pem",
        ],
      });
    }
    const [encrypted = ""] = made.encryptedKeys;
    expect(given(encrypted)).toEqual({
      problems: [
        expect.stringMatching(/^novadrive:tlsKey is encrypted, .*`openssl pkey -in <file>` prints .* < privkey\.pem$/),
      ],
    });
    expect(given("hunter2")).toEqual({
      problems: [
        "novadrive:tlsKey must be a private key in PEM form: pulumi config set --secret novadrive:tlsKey < privkey.pem",
      ],
    });
  });

  it("of the wrong form are not repeated either", () => {
    const secretKeys = ["snowflake:privateKey"];
    expect(problemsOf({ "snowflake:privateKey": "hunter2" }, { secretKeys })).toEqual([
      "snowflake:privateKey must be a private key in PEM form: pulumi config set --secret snowflake:privateKey < rsa_key.p8",
    ]);
  });

  it("choose the way to log in", () => {
    const secretKeys = ["snowflake:privateKey", "snowflake:privateKeyPassphrase"];
    const values = { "snowflake:privateKey": key, "snowflake:privateKeyPassphrase": "p" };
    expect(settingsOf(values, { secretKeys }).snowflakeConnection).toMatchObject({
      authenticator: "SNOWFLAKE_JWT",
      privateKey: key,
      privateKeyPassphrase: "p",
    });
  });
});
