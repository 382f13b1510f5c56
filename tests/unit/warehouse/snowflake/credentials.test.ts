import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { NovaError } from "../../../../runtime/core/errors.ts";
import { loadPrivateKey } from "../../../../runtime/warehouse/snowflake/credentials.ts";

const RSA = generateKeyPairSync("rsa", { modulusLength: 2048 });
const PEM = RSA.privateKey.export({ format: "pem", type: "pkcs8" }).toString();
const PKCS1 = RSA.privateKey.export({ format: "pem", type: "pkcs1" }).toString();

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "novadrive-credentials-"));
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
async function fileWith(text: string, mode = 0o600): Promise<string> {
  const path = join(folder, `key-${++files}.p8`);
  await writeFile(path, text, { mode });
  await chmod(path, mode);
  return path;
}

const warnings: string[] = [];
beforeEach(() => {
  warnings.length = 0;
});
const fromFile = (path: string): Promise<string> =>
  loadPrivateKey({ reference: { kind: "file", path }, warn: (message) => warnings.push(message) });

async function refusal(work: Promise<unknown>): Promise<NovaError> {
  const thrown: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof NovaError) return thrown;
  throw new Error("No NovaError was thrown.");
}

describe("a private key in a file", () => {
  it.each([
    ["PKCS #8", PEM],
    ["PKCS #1, as older OpenSSL writes it", PKCS1],
    ["with Windows' line ends", PEM.replaceAll("\n", "\r\n")],
    ["with its line ends written out", PEM.replaceAll("\n", String.raw`\n`)],
    ["with text around it", `subject=novadrive\n${PEM}\n`],
  ])("is taken in %s", async (_form, text) => {
    const key = await fromFile(await fileWith(text));
    expect(createPrivateKey(key).equals(RSA.privateKey)).toBe(true);
    expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(warnings).toEqual([]);
  });

  it("that others can read is taken, with a warning", async () => {
    const path = await fileWith(PEM, 0o644);
    await fromFile(path);
    expect(warnings).toEqual([expect.stringContaining(`chmod 600 ${path}`)]);
  });

  const cipher = { cipher: "aes-256-cbc", passphrase: "correct horse" } as const;
  const cases: readonly (readonly [string, string, RegExp])[] = [
    [
      "encrypted",
      RSA.privateKey.export({ format: "pem", type: "pkcs8", ...cipher }).toString(),
      /encrypted with a passphrase/,
    ],
    [
      "encrypted the old way",
      RSA.privateKey.export({ format: "pem", type: "pkcs1", ...cipher }).toString(),
      /encrypted with a passphrase/,
    ],
    ["the public half", RSA.publicKey.export({ format: "pem", type: "spki" }).toString(), /is the public key/],
    ["a certificate", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", /holds a certificate/],
    [
      "of another kind",
      generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
      /is ec; Snowflake takes RSA/,
    ],
    [
      "too short",
      generateKeyPairSync("rsa", { modulusLength: 1024 })
        .privateKey.export({ format: "pem", type: "pkcs8" })
        .toString(),
      /RSA of 1024 bits/,
    ],
    ["damaged", PEM.split("\n").toSpliced(5, 1).join("\n"), /is damaged/],
    ["cut off", PEM.slice(0, 600), /is damaged/],
    ["no key at all", "AKIAIOSFODNN7EXAMPLE", /not in PEM form/],
    ["empty", "", /not in PEM form/],
  ];
  it.each(cases)("that is %s is refused, without a byte of it", async (_what, text, message) => {
    const error = await refusal(fromFile(await fileWith(text)));
    expect(error.code).toBe("CONFIG_INVALID");
    expect(error.message).toMatch(message);
    expect(error.remedy).not.toBe("");
    const shown = `${error.message} ${error.remedy} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`;
    for (const line of text.split("\n").filter((part) => part.length >= 8 && !part.startsWith("-----"))) {
      expect(shown).not.toContain(line);
    }
  });

  it("that is not there is named", async () => {
    const error = await refusal(fromFile("/nowhere/rsa_key.p8"));
    expect(error).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringContaining("/nowhere/rsa_key.p8") });
    expect(error.message).toContain("does not exist");
    await mkdir(join(folder, "a-folder"));
    expect((await refusal(fromFile(join(folder, "a-folder")))).message).toContain("is a folder");
  });
});

describe("a private key in AWS Secrets Manager", () => {
  let server: Server;
  let answer: { readonly status: number; readonly body: object };
  let asked: unknown[];

  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      let text = "";
      request.on("data", (chunk) => (text += chunk));
      request.on("end", () => {
        asked.push(JSON.parse(text));
        response
          .writeHead(answer.status, { "content-type": "application/x-amz-json-1.1" })
          .end(JSON.stringify(answer.body));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    // The server listens on a port, not on a pipe.
    vi.stubEnv("AWS_ENDPOINT_URL", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    vi.stubEnv("AWS_MAX_ATTEMPTS", "1");
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await new Promise((resolve) => server.close(resolve));
  });

  const id = "arn:aws:secretsmanager:sa-east-1:123456789012:secret:novadrive/key-AbCdEf";
  const load = (region: string | undefined = "sa-east-1"): Promise<string> =>
    loadPrivateKey({ reference: { kind: "secret", id, region }, warn: (message) => warnings.push(message) });

  it.each([
    ["itself", { SecretString: PEM }],
    ["as a value of JSON", { SecretString: JSON.stringify({ private_key: PEM }) }],
    ["as bytes", { SecretBinary: Buffer.from(PEM).toString("base64") }],
  ])("is taken %s", async (_form, secret) => {
    answer = { status: 200, body: secret };
    expect(createPrivateKey(await load()).equals(RSA.privateKey)).toBe(true);
    expect(asked).toEqual([{ SecretId: id }]);
  });

  it.each([
    ["ResourceNotFoundException", "CONFIG_INVALID", /no secret arn/],
    ["AccessDeniedException", "CONFIG_INVALID", /does not let this program read/],
    ["InternalServiceError", "SECRET_UNREACHABLE", /did not give the secret/],
  ])("that AWS refuses (%s) is explained", async (type, code, message) => {
    answer = { status: type === "InternalServiceError" ? 500 : 400, body: { __type: type, message: "no" } };
    const error = await refusal(load());
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it.each(["{}", '{"private_key": 7}', "{not json", '{"password": "hunter2hunter2"}'])(
    "that is no key (%s) is refused",
    async (text) => {
      answer = { status: 200, body: { SecretString: text } };
      const error = await refusal(load());
      expect(error.message).toMatch(/not in PEM form/);
      expect(JSON.stringify(error.report())).not.toContain("hunter2");
    },
  );

  it("is not asked for where the machine has no AWS identity or region", async () => {
    answer = { status: 200, body: { SecretString: PEM } };
    vi.stubEnv("AWS_ACCESS_KEY_ID", undefined);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", undefined);
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
    vi.stubEnv("HOME", folder);
    expect(await refusal(load())).toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining("no AWS credentials"),
    });
    expect(asked).toEqual([]);
  });
});
