/** Certificates of an authority that is made for one test file, as a real one would give them. */
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TestCertificates {
  /** Of the server; signed by `between`. All PEM. */
  readonly server: string;
  readonly key: string;
  /** The same key, encrypted. */
  readonly encryptedKeys: readonly string[];
  /** Signed by `root`. */
  readonly between: string;
  readonly betweenKey: string;
  readonly root: string;
  /** Of nobody here. */
  readonly otherKey: string;
}

const COMMAND = "openssl";

/** @returns what it prints */
export const openssl = (
  args: readonly string[],
  options: { readonly cwd?: string; readonly input?: string } = {},
): string => execFileSync(COMMAND, args, { ...options, encoding: "utf8", stdio: "pipe" });

/** Valid from now on, for 90 days. */
export function makeCertificates(): TestCertificates {
  const folder = mkdtempSync(join(tmpdir(), "novadrive-certificates-"));
  try {
    const file = (name: string) => join(folder, name);
    const keys = Object.fromEntries(
      ["root", "between", "server", "other"].map((name) => {
        const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
        const pem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
        writeFileSync(file(`${name}.key`), pem);
        return [name, { pem, privateKey }] as const;
      }),
    );
    const make = (name: string, by: string | undefined, ...extensions: readonly string[]) => {
      const signer = by === undefined ? [] : ["-CA", `${by}.pem`, "-CAkey", `${by}.key`];
      const all = extensions.flatMap((extension) => ["-addext", extension]);
      const subject = ["-subj", `/O=Test/CN=${name}.example`, "-days", "90", "-key", `${name}.key`];
      openssl(["req", "-x509", "-new", ...subject, ...signer, ...all, "-out", `${name}.pem`], { cwd: folder });
      return readFileSync(file(`${name}.pem`), "utf8");
    };
    const authority = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"];
    const root = make("root", undefined, ...authority);
    const between = make("between", "root", ...authority);
    const server = make("server", "between", "basicConstraints=CA:FALSE", "subjectAltName=DNS:localhost,IP:127.0.0.1");
    const encrypted = { cipher: "aes-256-cbc", passphrase: "of-the-tests" };
    const own = keys["server"]?.privateKey;
    return {
      server,
      key: keys["server"]?.pem ?? "",
      encryptedKeys: (["pkcs8", "sec1"] as const).map(
        (type) => own?.export({ format: "pem", type, ...encrypted }).toString() ?? "",
      ),
      between,
      betweenKey: keys["between"]?.pem ?? "",
      root,
      otherKey: keys["other"]?.pem ?? "",
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
