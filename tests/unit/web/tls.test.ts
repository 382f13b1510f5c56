import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readTls } from "../../../runtime/web/tls.ts";
import { TLS_FILES, testTls } from "../../support/login.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "novadrive-tls-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const NOW = new Date("2030-01-01T00:00:00Z");

function read(files: { readonly certFile?: string; readonly keyFile?: string }, now = NOW) {
  const warnings: string[] = [];
  return { tls: readTls({ ...files, now, warn: (message) => void warnings.push(message) }), warnings };
}

describe("certificate and key", () => {
  it("are read from their files", () => {
    expect(read(TLS_FILES)).toEqual({ tls: testTls(), warnings: [] });
    expect(read({})).toEqual({ tls: undefined, warnings: [] });
  });

  it.each([
    ["2126-10-20T00:00:00Z", "ends on 2126-10-29"],
    ["2126-11-20T00:00:00Z", "has ended on 2126-10-29"],
  ])("come with a warning where their end is near (%s)", (now, warning) => {
    expect(read(TLS_FILES, new Date(now)).warnings).toEqual([expect.stringContaining(warning)]);
  });

  it("are refused where one is missing, is not there, or does not belong to the other", () => {
    const { certFile, keyFile } = TLS_FILES;
    const other = join(folder, "other-key.pem");
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const secret = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
    writeFileSync(other, secret);
    const refused = (files: Parameters<typeof read>[0]) => {
      try {
        read(files);
      } catch (thrown) {
        return thrown;
      }
      throw new Error("It was taken.");
    };
    expect(refused({ certFile })).toMatchObject({ message: expect.stringContaining("NOVADRIVE_UI_TLS_KEY is not") });
    expect(refused({ keyFile })).toMatchObject({ message: expect.stringContaining("NOVADRIVE_UI_TLS_CERT is not") });
    expect(refused({ certFile, keyFile: join(folder, "none.pem") })).toMatchObject({
      message: expect.stringMatching(/none\.pem of NOVADRIVE_UI_TLS_KEY does not exist/),
    });
    expect(refused({ certFile: folder, keyFile })).toMatchObject({ message: expect.stringContaining("is a folder") });
    const mismatch = refused({ certFile, keyFile: other });
    expect(mismatch).toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining("no certificate with its key"),
    });
    expect(String(mismatch instanceof Error ? mismatch.stack : "")).not.toContain(secret.split("\n")[1]);
    expect(refused({ certFile: keyFile, keyFile })).toMatchObject({ code: "CONFIG_INVALID" });
  });
});
