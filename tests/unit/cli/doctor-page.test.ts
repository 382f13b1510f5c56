import { describe, expect, it } from "vitest";
import { checkPage } from "../../../runtime/cli/doctor/page.ts";
import { release } from "../../../runtime/cli/version.ts";
import { readConfig } from "../../../runtime/config/config.ts";
import { hashPassword } from "../../../runtime/config/password-hash.ts";
import { CHEAP, PASSWORD, TLS_FILES } from "../../support/login.ts";

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
