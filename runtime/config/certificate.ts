/** What can be known of a certificate and its key before a server uses them. Nothing that is said here holds a word of a key. */
import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";

/** The server's certificate, then those between it and its authority. */
export type CertificateChain = readonly [X509Certificate, ...X509Certificate[]];

/** Goes on after the name of the thing: `has no certificate in PEM form`. */
export interface PemProblem {
  readonly problem: string;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** Whether a text holds a private key of any form, and so must not be shown or written. */
export const hasPrivateKey = (text: string): boolean => text.includes("PRIVATE KEY-----");

export function readChain(pem: string): CertificateChain | PemProblem {
  const chain: X509Certificate[] = [];
  for (const [block] of pem.matchAll(CERTIFICATE)) {
    try {
      chain.push(new X509Certificate(block));
    } catch {
      return { problem: `cannot be read: its certificate ${chain.length + 1} is damaged` };
    }
  }
  const [server, ...between] = chain;
  return server === undefined ? { problem: "has no certificate in PEM form" } : [server, ...between];
}

export function readPrivateKey(pem: string): KeyObject | PemProblem {
  if (!hasPrivateKey(pem)) return { problem: "has no private key in PEM form" };
  if (/-----BEGIN ENCRYPTED PRIVATE KEY|^Proc-Type: 4,ENCRYPTED/m.test(pem)) {
    return {
      problem:
        "is encrypted, and nobody is there to type its passphrase; `openssl pkey -in <file>` prints the key without it",
    };
  }
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's own words are left out: what they quote does not belong in a log.
    return { problem: "cannot be read: its private key is damaged" };
  }
}

/** @returns why browsers cannot follow the chain from the server's certificate on; undefined if they can */
export function orderProblem(chain: CertificateChain): string | undefined {
  const wrong = chain.findIndex((certificate, index) => {
    const issued = chain[index - 1];
    return issued !== undefined && !(issued.checkIssued(certificate) && issued.verify(certificate.publicKey));
  });
  if (wrong < 0) return undefined;
  const shown = (index: number) => `number ${index + 1} (${subject(chain[index])})`;
  return `has its certificates in the wrong order: ${shown(wrong)} did not issue ${shown(wrong - 1)}; the server's own comes first, behind each the one that issued it`;
}

const subject = (certificate: X509Certificate | undefined): string =>
  certificate?.subject?.split("\n").at(-1) ?? "without a name";

/** @returns when the certificate does not count; undefined if it does now */
export function validityProblem({ validFromDate, validToDate }: X509Certificate, now: Date): string | undefined {
  if (validToDate < now) return `ended on ${day(validToDate)}`;
  return now < validFromDate ? `begins only on ${validFromDate.toISOString()}` : undefined;
}

export const day = (date: Date): string => date.toISOString().slice(0, 10);
