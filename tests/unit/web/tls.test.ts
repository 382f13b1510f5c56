import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NovaError } from "../../../runtime/core/errors.ts";
import { readTls } from "../../../runtime/web/tls.ts";
import { TLS_FILES, testTls } from "../../support/login.ts";
import { makeCertificates, openssl } from "../../support/tls/certificates.ts";

const made = makeCertificates();

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "novadrive-tls-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const NOW = new Date("2030-01-01T00:00:00Z");
const { certFile, keyFile } = TLS_FILES;

function read(given: { readonly certFile?: string; readonly key?: string }, now = NOW) {
  const warnings: string[] = [];
  return { tls: readTls({ ...given, now, warn: (message) => void warnings.push(message) }), warnings };
}

function refused(given: Parameters<typeof read>[0]): NovaError {
  try {
    read(given);
  } catch (thrown) {
    if (thrown instanceof NovaError && thrown.code === "CONFIG_INVALID") return thrown;
    throw thrown;
  }
  throw new Error("It was taken.");
}

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe("certificate and key", () => {
  it("are read from their files, or are what a secret held", () => {
    expect(read({ certFile, key: keyFile })).toEqual({ tls: testTls(), warnings: [] });
    expect(read({ certFile, key: testTls().key })).toEqual({ tls: testTls(), warnings: [] });
    expect(read({})).toEqual({ tls: undefined, warnings: [] });
  });

  it.each([
    ["2126-10-20T00:00:00Z", "ends on 2126-10-29; replace it, and start again."],
    ["2126-11-20T00:00:00Z", "ended on 2126-10-29; replace it, and start again."],
    ["2026-01-01T00:00:00Z", "begins only on 2026-"],
  ])("come with a warning where their end is near or their time is not now (%s)", (now, warning) => {
    expect(read({ certFile, key: keyFile }, new Date(now)).warnings).toEqual([expect.stringContaining(warning)]);
  });

  it("come with a warning where browsers cannot follow the chain", () => {
    const now = new Date();
    const chain = write("chain.pem", `${made.server}${made.between}${made.root}`);
    expect(read({ certFile: chain, key: made.key }, now).warnings).toEqual([]);
    const disordered = write("disordered.pem", `${made.server}${made.root}${made.between}`);
    expect(read({ certFile: disordered, key: made.key }, now).warnings).toEqual([
      expect.stringMatching(/disordered\.pem has its certificates in the wrong order: number 2 .*Some browsers/),
    ]);
  });

  it("are refused where one is missing or is not there", () => {
    expect(refused({ certFile }).message).toContain("NOVADRIVE_UI_TLS_KEY is not");
    expect(refused({ key: keyFile }).message).toContain("NOVADRIVE_UI_TLS_CERT is not");
    expect(refused({ certFile, key: join(folder, "none.pem") }).message).toMatch(
      /none\.pem of NOVADRIVE_UI_TLS_KEY does not exist/,
    );
    expect(refused({ certFile: folder, key: keyFile }).message).toContain("is a folder");
  });

  it.each([
    ["is no PEM", "hunter2hunter2", /other\.key of NOVADRIVE_UI_TLS_KEY has no private key in PEM form/],
    ["is a certificate", made.server, /other\.key of NOVADRIVE_UI_TLS_KEY has no private key in PEM form/],
    ["is encrypted", made.encryptedKeys[0] ?? "", /is encrypted, and nobody is there .* `openssl pkey -in <file>`/],
    ["is damaged", made.key.replace(/\n.{30}/, "\n"), /its private key is damaged/],
    ["belongs to another certificate", made.otherKey, /other\.key .* does not belong to the certificate .*server\.pem/],
    [
      "belongs to a later certificate of the file",
      made.betweenKey,
      /belongs to certificate 2 in .*server\.pem, which is not the first/,
    ],
  ])("are refused where the key %s, without a word of it", (_what, key, message) => {
    const server = write("server.pem", `${made.server}${made.between}`);
    const errors = [refused({ certFile: server, key: write("other.key", key) })];
    // From a secret, what is no key at all has been refused before.
    if (key.includes("PRIVATE KEY")) errors.push(refused({ certFile: server, key }));
    expect(errors[0]?.message).toMatch(message);
    for (const error of errors) {
      expect(error.remedy).toMatch(/^(Give|Set) .+\.$/);
      const told = JSON.stringify([error.report(), error.stack, String(error.cause)]);
      for (const line of key.split("\n").filter((text) => text.length > 10 && !text.startsWith("-----"))) {
        expect(told).not.toContain(line);
      }
    }
    if (errors[1]) expect(errors[1].message).toContain("The secret of NOVADRIVE_UI_TLS_KEY");
  });

  it("are refused where the certificate is none, or is too weak to be used", () => {
    expect(refused({ certFile: keyFile, key: keyFile }).message).toMatch(/NOVADRIVE_UI_TLS_CERT has no certificate/);
    const weak = ["req", "-x509", "-newkey", "rsa:512", "-nodes", "-subj", "/CN=weak", "-keyout", "w.key"];
    openssl([...weak, "-out", "w.pem"], { cwd: folder });
    const error = refused({ certFile: join(folder, "w.pem"), key: join(folder, "w.key") });
    expect(error.message).toMatch(/w\.pem cannot be used \(ERR_SSL_EE_KEY_TOO_SMALL\)/);
    expect(error.remedy).toContain("2048 bits");
  });
});
