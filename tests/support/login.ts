/** The operator of test servers. */
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { hashPassword, parsePasswordHash, type PasswordHash } from "../../runtime/config/password-hash.ts";

export const PASSWORD = "correct horse battery";

/** The least that is taken: 16 MiB and some 40 ms. */
export const CHEAP = { ln: 14, r: 8, p: 1 } as const;

export async function testPasswordHash(password = PASSWORD): Promise<PasswordHash> {
  const hash = parsePasswordHash(await hashPassword(password, CHEAP));
  if ("problem" in hash) throw new Error(hash.problem);
  return hash;
}

/** Signed by itself; for `localhost`. */
export const TLS_FILES = {
  certFile: join(import.meta.dirname, "tls/test-only-certificate.pem"),
  keyFile: join(import.meta.dirname, "tls/test-only-key.pem"),
} as const;

export const testTls = () => ({
  cert: readFileSync(TLS_FILES.certFile, "utf8"),
  key: readFileSync(TLS_FILES.keyFile, "utf8"),
});
