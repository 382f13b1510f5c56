/** The certificate and key of the status page. Both are read once, at the start. */
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { day, hasPrivateKey, orderProblem, readChain, readPrivateKey, validityProblem } from "../config/certificate.ts";
import { NovaError } from "../core/errors.ts";

/** PEM texts that belong together. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

export interface TlsSettings {
  readonly certFile?: string | undefined;
  /** Its file; or the key itself, where a secret held it. */
  readonly key?: string | undefined;
  readonly now: Date;
  readonly warn: (message: string) => void;
}

const SOON_MS = 14 * 86_400_000;

/**
 * @returns undefined if neither certificate nor key was named
 * @throws NovaError CONFIG_INVALID
 */
export function readTls({ certFile, key: keyOrFile, now, warn }: TlsSettings): TlsFiles | undefined {
  if (certFile === undefined && keyOrFile === undefined) return undefined;
  if (certFile === undefined || keyOrFile === undefined) {
    const missing = certFile === undefined ? "NOVADRIVE_UI_TLS_CERT" : "NOVADRIVE_UI_TLS_KEY";
    throw invalid(
      `Of certificate and key only one is set; ${missing} is not.`,
      `Set ${missing} to its file, or neither.`,
    );
  }
  const cert = readText("NOVADRIVE_UI_TLS_CERT", certFile);
  const chain = readChain(cert);
  if ("problem" in chain) {
    throw invalid(`The file ${certFile} of NOVADRIVE_UI_TLS_CERT ${chain.problem}.`, GIVE_CHAIN);
  }
  const fromSecret = hasPrivateKey(keyOrFile);
  const named = fromSecret ? "The secret of NOVADRIVE_UI_TLS_KEY" : `The file ${keyOrFile} of NOVADRIVE_UI_TLS_KEY`;
  const text = fromSecret ? keyOrFile : readText("NOVADRIVE_UI_TLS_KEY", keyOrFile);
  const key = readPrivateKey(text);
  if ("problem" in key) {
    throw invalid(`${named} ${key.problem}.`, "Give the certificate's private key in PEM form, without a passphrase.");
  }
  const [server] = chain;
  if (!server.checkPrivateKey(key)) {
    const owner = chain.findIndex((certificate) => certificate.checkPrivateKey(key)) + 1;
    if (owner > 0) {
      throw invalid(`${named} belongs to certificate ${owner} in ${certFile}, which is not the first.`, GIVE_CHAIN);
    }
    throw invalid(
      `${named} does not belong to the certificate ${certFile}.`,
      "Set both anew, from the same request for a certificate: renewing one often makes another key.",
    );
  }
  requireUse({ cert, key: text }, certFile);
  const disorder = orderProblem(chain);
  if (disorder !== undefined) warn(`The certificate ${certFile} ${disorder}. Some browsers will refuse it.`);
  const invalidNow = validityProblem(server, now);
  const soon =
    server.validToDate.getTime() < now.getTime() + SOON_MS ? `ends on ${day(server.validToDate)}` : undefined;
  const problem = invalidNow ?? soon;
  if (problem !== undefined) warn(`The certificate ${certFile} ${problem}; replace it, and start again.`);
  return { cert, key: text };
}

const GIVE_CHAIN = "Give it in PEM form: the server's certificate first, behind it those between it and its authority.";

/** OpenSSL refuses keys that are too short, and signatures by broken hashes. */
function requireUse(files: TlsFiles, certFile: string): void {
  try {
    createSecureContext(files);
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? ` (${String(thrown.code)})` : "";
    throw invalid(
      `The certificate ${certFile} cannot be used${code}.`,
      "Have one made with a key of at least 2048 bits RSA or 256 bits EC, signed with SHA-256.",
    );
  }
}

function invalid(message: string, remedy: string): NovaError {
  return new NovaError("CONFIG_INVALID", message, { remedy });
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
