/** The private key of a Snowflake user, from a file or from AWS Secrets Manager; it stays in memory and out of every message. */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { NovaError } from "../../core/errors.ts";
import type { PrivateKeyReference } from "./warehouse-url.ts";

export interface LoadPrivateKeyOptions {
  readonly reference: PrivateKeyReference;
  readonly warn: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Snowflake takes RSA of this length and longer: https://docs.snowflake.com/en/user-guide/key-pair-auth */
const SHORTEST_KEY = 2048;

const MAKE_KEY = "openssl genrsa 2048 | openssl pkcs8 -topk8 -nocrypt -inform PEM -out rsa_key.p8";

/**
 * @returns PEM, PKCS #8, not encrypted
 * @throws NovaError CONFIG_INVALID if it cannot be read or used, SECRET_UNREACHABLE if Secrets Manager does not answer
 */
export async function loadPrivateKey({ reference, warn, signal }: LoadPrivateKeyOptions): Promise<string> {
  if (reference.kind === "file") return usableKey(await fromFile(reference.path, warn), `the file ${reference.path}`);
  const { readSecret } = await import("../../config/aws-secret.ts");
  const { id, region } = reference;
  const secret = await readSecret({ id, region, setting: "private_key of NOVADRIVE_WAREHOUSE_URL", signal });
  return usableKey(fromSecret(secret), `the secret ${reference.id}`);
}

async function fromFile(path: string, warn: (message: string) => void): Promise<string> {
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0 && process.platform !== "win32") {
      warn(`The private key ${path} can be read by other users of this machine; run chmod 600 ${path}.`);
    }
    return await readFile(path, "utf8");
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
    const why =
      { ENOENT: "does not exist", EACCES: "may not be read by this user", EISDIR: "is a folder" }[code] ??
      `cannot be read (${code})`;
    throw new NovaError("CONFIG_INVALID", `The private key ${path} of NOVADRIVE_WAREHOUSE_URL ${why}.`, {
      remedy: `Correct private_key, or give the file to this user (chmod 600). To make a key: ${MAKE_KEY}`,
      cause: thrown,
    });
  }
}

/** The secret is the PEM itself, or JSON with the PEM as `private_key`, as a form of key and value in the console makes it. */
function fromSecret(secret: string): string {
  if (!secret.trimStart().startsWith("{")) return secret;
  try {
    const value: unknown = JSON.parse(secret);
    const key: unknown = typeof value === "object" && value !== null ? Reflect.get(value, "private_key") : undefined;
    return typeof key === "string" ? key : "";
  } catch {
    return "";
  }
}

/** The cause is left out of every error on purpose: OpenSSL's messages and their input do not belong in a log. */
function usableKey(text: string, where: string): string {
  // Secrets that went through a form or an environment variable often have their line ends written out.
  const pem = text.replaceAll(String.raw`\n`, "\n").trim();
  const kind = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(pem)?.[1];
  if (kind === undefined) throw unusable(where, "is not in PEM form", `Make a key: ${MAKE_KEY}`);
  if (kind === "PUBLIC KEY" || kind === "RSA PUBLIC KEY") {
    throw unusable(
      where,
      "is the public key",
      "Give the private key; the public one belongs to the user in Snowflake.",
    );
  }
  if (kind === "ENCRYPTED PRIVATE KEY" || /^Proc-Type:.*ENCRYPTED/m.test(pem)) {
    throw unusable(
      where,
      "is encrypted with a passphrase",
      "Decrypt it (openssl pkcs8 -in <file> -out rsa_key.p8) and protect the file with chmod 600, or keep it in AWS Secrets Manager.",
    );
  }
  if (kind !== "PRIVATE KEY" && kind !== "RSA PRIVATE KEY") {
    throw unusable(where, `holds a ${kind.toLowerCase()}, not a private key`, `Make a key: ${MAKE_KEY}`);
  }
  const key = parse(pem);
  if (key === undefined) throw unusable(where, "is damaged", "Copy it again, with its first and last line.");
  const length = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== "rsa" || length < SHORTEST_KEY) {
    const found = key.asymmetricKeyType === "rsa" ? `RSA of ${length} bits` : String(key.asymmetricKeyType);
    throw unusable(
      where,
      `is ${found}; Snowflake takes RSA of ${SHORTEST_KEY} bits or more`,
      `Make a key: ${MAKE_KEY}`,
    );
  }
  return key.export({ format: "pem", type: "pkcs8" }).toString();
}

function parse(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey({ key: pem, format: "pem" });
  } catch {
    return undefined;
  }
}

function unusable(where: string, why: string, remedy: string): NovaError {
  return new NovaError("CONFIG_INVALID", `The private key of NOVADRIVE_WAREHOUSE_URL (${where}) ${why}.`, { remedy });
}
