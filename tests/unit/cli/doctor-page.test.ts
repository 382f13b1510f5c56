import { describe, expect, it, vi } from "vitest";
import { checkPage } from "../../../runtime/cli/doctor/page.ts";
import { release } from "../../../runtime/cli/version.ts";
import { readConfig } from "../../../runtime/config/config.ts";
import { hashPassword } from "../../../runtime/config/password-hash.ts";
import { CHEAP, PASSWORD, TLS_FILES, testTls } from "../../support/login.ts";
import { startSecretsManager } from "../../support/secrets-manager.ts";
import { makeCertificates } from "../../support/tls/certificates.ts";

const check = (environment: Readonly<Record<string, string>>) =>
  checkPage(readConfig({ environment }), { signal: new AbortController().signal });

describe("what the doctor says of the status page", () => {
  it("is fine on this machine without a login", async () => {
    expect(await check({})).toEqual([
      { check: "status page", status: "ok", detail: "http on 127.0.0.1:8080, without login." },
    ]);
  });

  it("is fine beyond it with login and TLS, and a warning without TLS where that was asked for", async () => {
    const login = { NOVADRIVE_HOST: "0.0.0.0", NOVADRIVE_UI_PASSWORD_HASH: await hashPassword(PASSWORD, CHEAP) };
    const tls = { NOVADRIVE_UI_TLS_CERT: TLS_FILES.certFile, NOVADRIVE_UI_TLS_KEY: TLS_FILES.keyFile };
    expect(await check({ ...login, ...tls })).toEqual([
      expect.objectContaining({ status: "ok", detail: "https on 0.0.0.0:8080, with login." }),
    ]);
    expect(await check({ ...login, NOVADRIVE_UI_INSECURE_HTTP: "yes" })).toEqual([
      expect.objectContaining({ status: "ok" }),
      expect.objectContaining({ status: "warning", detail: expect.stringContaining("can read the password") }),
    ]);
  });

  it("fails where serve would refuse to start, with what mends it", async () => {
    expect(await check({ NOVADRIVE_HOST: "0.0.0.0" })).toEqual([
      expect.objectContaining({ status: "failed", remedy: expect.stringContaining("npx novadrive password") }),
    ]);
    expect(await check({ NOVADRIVE_UI_TLS_CERT: "/nowhere.pem", NOVADRIVE_UI_TLS_KEY: "/nowhere.key" })).toEqual([
      expect.objectContaining({ status: "failed", detail: expect.stringContaining("/nowhere.pem") }),
    ]);
  });

  it("has the certificate's key from its secret, and says if that is of no use", async () => {
    await using aws = await startSecretsManager();
    for (const [name, value] of Object.entries(aws.environment)) vi.stubEnv(name, value);
    const tls = {
      NOVADRIVE_UI_TLS_CERT: TLS_FILES.certFile,
      NOVADRIVE_UI_TLS_KEY: "aws-secretsmanager:novadrive/key?region=sa-east-1",
    };
    aws.secrets.set("novadrive/key", testTls().key);
    expect(await check(tls)).toEqual([
      expect.objectContaining({ status: "ok", detail: expect.stringMatching(/^https/) }),
    ]);
    aws.secrets.set("novadrive/key", makeCertificates().key);
    expect(await check(tls)).toEqual([
      expect.objectContaining({
        status: "failed",
        detail: expect.stringContaining("does not belong to the certificate"),
      }),
    ]);
  });

  it("warns of a certificate whose time is over", async () => {
    vi.useFakeTimers({ now: new Date("2126-12-01T00:00:00Z"), toFake: ["Date"] });
    try {
      const tls = { NOVADRIVE_UI_TLS_CERT: TLS_FILES.certFile, NOVADRIVE_UI_TLS_KEY: TLS_FILES.keyFile };
      expect(await check(tls)).toEqual([
        expect.objectContaining({ status: "ok" }),
        expect.objectContaining({ status: "warning", detail: expect.stringContaining("ended on 2126-10-29") }),
      ]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is left to the finding on settings where one of them is wrong", async () => {
    expect(await check({ NOVADRIVE_HOST: "0.0.0.0", NOVADRIVE_UI_PASSWORD_HASH: "no hash at all" })).toEqual([]);
  });
});

describe("the release", () => {
  it("is named for the folder that it was deployed to", () => {
    expect(release("/opt/novadrive/releases/3f2a")).toBe("3f2a");
    expect(release("/home/ana/novadrive")).toBeUndefined();
    expect(release()).toBeUndefined();
  });
});
