/** The certificate and key of the status page, from their files. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { NovaError } from "../core/errors.ts";

export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

export interface TlsSettings {
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly now: Date;
  readonly warn: (message: string) => void;
}

const SOON_MS = 14 * 86_400_000;

/**
 * @returns PEM texts that belong together; undefined if neither file was named
 * @throws NovaError CONFIG_INVALID
 */
export function readTls({ certFile, keyFile, now, warn }: TlsSettings): TlsFiles | undefined {
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined) {
    const missing = certFile === undefined ? "NOVADRIVE_UI_TLS_CERT" : "NOVADRIVE_UI_TLS_KEY";
    throw new NovaError("CONFIG_INVALID", `Of certificate and key only one is set; ${missing} is not.`, {
      remedy: `Set ${missing} to its file, or neither.`,
    });
  }
  const cert = readText("NOVADRIVE_UI_TLS_CERT", certFile);
  const key = readText("NOVADRIVE_UI_TLS_KEY", keyFile);
  if (!belongTogether(cert, key)) {
    throw new NovaError("CONFIG_INVALID", `${certFile} and ${keyFile} are no certificate with its key.`, {
      remedy: "Give both in PEM form, the key without a passphrase, and the one that belongs to the certificate.",
    });
  }
  const end = new X509Certificate(cert).validToDate;
  if (end.getTime() < now.getTime() + SOON_MS) {
    const ends = end < now ? "has ended" : "ends";
    warn(`The certificate ${certFile} ${ends} on ${end.toISOString().slice(0, 10)}; replace it, and start again.`);
  }
  return { cert, key };
}

/** OpenSSL's own messages are left out: what they quote does not belong in a log. */
function belongTogether(cert: string, key: string): boolean {
  try {
    createSecureContext({ cert, key });
    // A context takes a key of another kind than the certificate's without a word.
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

function readText(setting: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
    const why = { ENOENT: "does not exist", EACCES: "may not be read by this user", EISDIR: "is a folder" }[code];
    throw new NovaError("CONFIG_INVALID", `The file ${file} of ${setting} ${why ?? `cannot be read (${code})`}.`, {
      remedy: `Correct ${setting}, or give the file to the user that runs this program.`,
      cause: thrown,
    });
  }
}
