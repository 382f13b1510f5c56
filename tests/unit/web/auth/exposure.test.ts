import { describe, expect, it } from "vitest";
import { checkExposure, isLoopbackAddress } from "../../../../runtime/web/auth/exposure.ts";

const BARE = { login: false, tls: false, insecureHttp: false } as const;

describe("what the page may be shown to", () => {
  it.each(["127.0.0.1", "127.1.2.3", "::1", "localhost", "LOCALHOST"])(
    "%s is this machine, and needs nothing",
    (host) => {
      expect(() => checkExposure({ host, ...BARE })).not.toThrow();
    },
  );

  it.each([
    "0.0.0.0",
    "::",
    "10.0.0.7",
    "128.0.0.1",
    "etl.example",
    "localhost.example",
    "::ffff:10.0.0.7",
    "2001:db8::1",
    "",
  ])("%s is beyond this machine, and needs login and TLS", (host) => {
    const needs = (given: Partial<typeof BARE> | object) => () => checkExposure({ host, ...BARE, ...given });
    expect(needs({})).toThrow(
      expect.objectContaining({ code: "UI_UNPROTECTED", message: expect.stringContaining("no login and no TLS") }),
    );
    expect(needs({ tls: true })).toThrow(expect.objectContaining({ message: expect.stringContaining("no login.") }));
    expect(needs({ login: true })).toThrow(expect.objectContaining({ message: expect.stringContaining("no TLS.") }));
    expect(needs({ insecureHttp: true })).toThrow(
      expect.objectContaining({ message: expect.stringContaining("no login.") }),
    );
    expect(needs({ login: true, tls: true })).not.toThrow();
    expect(needs({ login: true, insecureHttp: true })).not.toThrow();
  });

  it("is mended by the commands of the message", () => {
    expect(() => checkExposure({ host: "0.0.0.0", ...BARE })).toThrow(
      expect.objectContaining({
        remedy: expect.stringMatching(
          /`export NOVADRIVE_UI_PASSWORD_HASH="\$\(npx novadrive password\)" && export NOVADRIVE_UI_TLS_CERT=\S+ NOVADRIVE_UI_TLS_KEY=\S+`.*`novadrive serve --host 127\.0\.0\.1`/,
        ),
      }),
    );
  });

  it("is judged by address, not by look", () => {
    expect(isLoopbackAddress("127.0.0.1.evil.example")).toBe(false);
    expect(isLoopbackAddress("0127.0.0.1")).toBe(false);
  });
});
