import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { loadConfig } from "../../../runtime/config/config.ts";
import { hideSecrets, resolveSecrets, type SecretSetting } from "../../../runtime/config/resolve-secrets.ts";
import { NovaError } from "../../../runtime/core/errors.ts";
import { redact } from "../../../runtime/core/redact.ts";
import { hashPassword } from "../../../runtime/config/password-hash.ts";
import { CHEAP, PASSWORD, testTls } from "../../support/login.ts";
import { startSecretsManager, type SecretsManager } from "../../support/secrets-manager.ts";

const ARN = "arn:aws:secretsmanager:sa-east-1:123456789012:secret:novadrive/source-AbCdEf";
const URL_WITH_PASSWORD = "postgres://loader:p%40ss-w0rd-of-db@db.example/shop";

let aws: SecretsManager;
beforeEach(async () => {
  aws = await startSecretsManager();
  for (const [name, value] of Object.entries(aws.environment)) vi.stubEnv(name, value);
});
afterEach(() => aws[Symbol.asyncDispose]());

const config = (settings: Readonly<Record<string, string>>) => loadConfig({ environment: settings });
const source = (reference = `aws-secretsmanager:${ARN}`) => config({ NOVADRIVE_SOURCE_URL: reference });

async function refusal(work: Promise<unknown>): Promise<NovaError> {
  const thrown: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof NovaError) return thrown;
  throw new Error("No NovaError was thrown.");
}

describe("settings that refer to a secret", () => {
  it("get its value, whatever line end it has, and are shown nowhere from then on", async () => {
    const hash = await hashPassword(PASSWORD, CHEAP);
    aws.secrets.set(ARN, `${URL_WITH_PASSWORD}\n`).set("novadrive/login", `${hash}\r\n`);
    const given = config({
      NOVADRIVE_SOURCE_URL: `aws-secretsmanager:${ARN}`,
      NOVADRIVE_UI_PASSWORD_HASH: "aws-secretsmanager:novadrive/login?region=sa-east-1",
    });
    const resolved = await resolveSecrets(given, ["sourceUrl", "uiPasswordHash"]);
    expect(resolved).toEqual({ ...given, sourceUrl: URL_WITH_PASSWORD, uiPasswordHash: hash });
    expect(aws.asked.toSorted()).toEqual([ARN, "novadrive/login"].toSorted());
    expect(redact(`at ${hash}, with p@ss-w0rd-of-db or p%40ss-w0rd-of-db`)).toBe("at ***, with *** or ***");
  });

  it("hold the key of a certificate, which is then shown in no form", async () => {
    const { key } = testTls();
    aws.secrets.set("novadrive/key", `${key.replaceAll("\n", "\r\n")}\n`);
    const given = config({ NOVADRIVE_UI_TLS_KEY: "aws-secretsmanager:novadrive/key?region=sa-east-1" });
    const { uiTlsKey = "" } = await resolveSecrets(given, ["uiTlsKey"]);
    expect(uiTlsKey.replaceAll("\r\n", "\n")).toBe(key.trim());
    const lines = key.split("\n").filter((line) => line.length > 8 && !line.startsWith("-----"));
    for (const shown of [redact(uiTlsKey), redact(key), redact(JSON.stringify({ key }))]) {
      for (const line of lines) expect(shown).not.toContain(line);
    }
  });

  it("name the key's file as well, which is no secret", async () => {
    const given = config({ NOVADRIVE_UI_TLS_KEY: "/etc/ssl/private/novadrive.pem" });
    expect(await resolveSecrets(given, ["uiTlsKey"])).toEqual(given);
    expect(redact("/etc/ssl/private/novadrive.pem")).toBe("/etc/ssl/private/novadrive.pem");
  });

  it("are left alone where the command has no use for them, and where they hold the value itself", async () => {
    const given = config({
      NOVADRIVE_SOURCE_URL: "postgres://loader:direct-password@db/shop",
      NOVADRIVE_UI_PASSWORD_HASH: "aws-secretsmanager:novadrive/login",
    });
    expect(await resolveSecrets(given, ["sourceUrl"])).toEqual(given);
    expect(aws.asked).toEqual([]);
    expect(redact("direct-password")).toBe("***");
  });

  it("are hidden in another process too, once it has been told them", () => {
    hideSecrets({ sourceUrl: "postgres://loader:told-password@db/shop", uiPasswordHash: undefined });
    hideSecrets({ sourceUrl: "aws-secretsmanager:a-name-in-texts", uiPasswordHash: undefined });
    hideSecrets({ sourceUrl: "postgres://loader:100%25@db/shop", uiPasswordHash: undefined });
    hideSecrets({ sourceUrl: "postgres://novadrive:novadrive@db/shop", uiPasswordHash: undefined });
    expect(redact("novadrive reads postgresql")).toBe("novadrive reads postgresql");
    expect(redact("told-password for a-name-in-texts, 100%")).toBe("*** for a-name-in-texts, 100%");
  });

  it.each([
    ["is no URL", "sourceUrl", "not a url at all", /must begin with postgres/],
    ["is JSON", "sourceUrl", '{"url": "postgres://loader:s3cret-word@db/shop"}', /must begin with postgres/],
    ["refers to another secret", "sourceUrl", "aws-secretsmanager:another", /refers to another secret/],
    ["is empty", "sourceUrl", "\n", /must not be empty/],
    ["is no hash", "uiPasswordHash", "s3cret-word-itself", /novadrive password/],
    ["is no key", "uiTlsKey", "s3cret-word-itself", /has no private key in PEM form/],
    [
      "is an encrypted key",
      "uiTlsKey",
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\ns3cret\n-----END ENCRYPTED PRIVATE KEY-----",
      /is encrypted, and nobody is there to type its passphrase/,
    ],
  ] satisfies readonly (readonly [string, SecretSetting, string, RegExp])[])(
    "are refused where the secret %s, without a word of it",
    async (_what, name, value, message) => {
      aws.secrets.set("novadrive/secret", value);
      const given = { ...config({}), [name]: "aws-secretsmanager:novadrive/secret?region=sa-east-1" };
      const error = await refusal(resolveSecrets(given, [name]));
      expect(error).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringMatching(message) });
      expect(error.message).toContain("novadrive/secret");
      expect(error.remedy).toContain("put-secret-value --secret-id novadrive/secret");
      expect(JSON.stringify([error.report(), error.stack, String(error.cause)])).not.toContain("s3cret");
    },
  );

  it.each([
    ["ResourceNotFoundException", "no such", "CONFIG_INVALID", /There is no secret/, /NOVADRIVE_SOURCE_URL/],
    [
      "ResourceNotFoundException",
      "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
      "CONFIG_INVALID",
      /has no value yet/,
      /put-secret-value --secret-id arn:/,
    ],
    [
      "AccessDeniedException",
      "no",
      "CONFIG_INVALID",
      /does not let this program read/,
      /\{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"arn:aws:secretsmanager:sa-east-1:[^"]+AbCdEf"\}/,
    ],
    ["InternalServiceError", "no", "SECRET_UNREACHABLE", /did not give/, /secretsmanager\.sa-east-1\.amazonaws\.com/],
  ])("say what to do when AWS answers %s (%s)", async (type, said, code, message, remedy) => {
    aws.refuse({ type, message: said });
    const error = await refusal(resolveSecrets(source(), ["sourceUrl"]));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.remedy).toMatch(remedy);
  });

  it("show the whole statement where only the secret's name is known", async () => {
    aws.refuse({ type: "AccessDeniedException", message: "no" });
    const given = source("aws-secretsmanager:novadrive/source?region=sa-east-1");
    const error = await refusal(resolveSecrets(given, ["sourceUrl"]));
    expect(error.remedy).toContain('"arn:aws:secretsmanager:sa-east-1:<account>:secret:novadrive/source-??????"');
  });

  it("end with the process that is told to stop", async () => {
    const reason = new Error("stopped");
    const signal = AbortSignal.abort(reason);
    await expect(resolveSecrets(source(), ["sourceUrl"], { signal })).rejects.toBe(reason);
    expect(aws.asked).toEqual([]);
  });

  it("are checked for their form before anything is asked", () => {
    expect(() => source("aws-secretsmanager:a b")).toThrow(
      expect.objectContaining({ message: expect.stringContaining("aws-secretsmanager:<ARN or name>") }),
    );
    expect(() => config({ NOVADRIVE_UI_TLS_KEY: "aws-secretsmanager:a b" })).toThrow(
      expect.objectContaining({ message: expect.stringContaining("aws-secretsmanager:<ARN or name>") }),
    );
    expect(() => config({ NOVADRIVE_UI_TLS_KEY: testTls().key })).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(
          /^NOVADRIVE_UI_TLS_KEY must be a file, or aws-secretsmanager:.* is easily read\.$/,
        ),
      }),
    );
    expect(() => config({ NOVADRIVE_UI_PASSWORD_HASH: "hunter2hunter2" })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("hunter2") }),
    );
  });
});
