/** The public half of a key pair, in the form that Snowflake takes. */
import { createPublicKey, type KeyObject } from "node:crypto";

/** https://docs.snowflake.com/en/user-guide/key-pair-auth */
const SHORTEST_KEY = 2048;

/**
 * @param text PEM, or what stands between its first and last line
 * @returns base64 of the DER on one line; undefined if it is no RSA public key of 2048 bits or more
 */
export function rsaPublicKey(text: string): string | undefined {
  // Node.js would make the public key of a private one, which has no business in a stack's file.
  if (text.includes("PRIVATE KEY")) return undefined;
  const key = parse(text.trim());
  if (key?.asymmetricKeyType !== "rsa") return undefined;
  if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < SHORTEST_KEY) return undefined;
  return key.export({ format: "der", type: "spki" }).toString("base64");
}

function parse(text: string): KeyObject | undefined {
  try {
    if (text.startsWith("-----BEGIN ")) return createPublicKey(text);
    return createPublicKey({ key: Buffer.from(text, "base64"), format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}
