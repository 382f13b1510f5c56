/** The shell text that brings a release to the box: the scripts of this folder, behind the values of the stack. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { shellQuote } from "./quote.ts";

/** Of the document; its value is the bundle's hash. */
export const HASH_PARAMETER = {
  name: "BundleHash",
  pattern: "^[0-9a-f]{64}$",
  description: "SHA-256 of what is in the bundle.",
} as const;

export interface ReleaseScriptArgs {
  readonly region: string;
  readonly artifactBucket: string;
  /** As `renderEnvironment` gives it. */
  readonly environment: string;
  /** PEM, with those between it and its authority; undefined where the box makes its own. No private key. */
  readonly certificate?: string | undefined;
}

/**
 * Bash, run as root, in which `{{ BundleHash }}` stands for the bundle's hash.
 *
 * @throws RangeError for values that Systems Manager would take for a parameter, and for a private key
 */
export function renderReleaseScript({
  region,
  artifactBucket,
  environment,
  certificate = "",
}: ReleaseScriptArgs): string {
  if (certificate.includes("PRIVATE KEY")) throw new RangeError("A private key does not belong beside a certificate.");
  const values = {
    AWS_REGION: region,
    artifact_bucket: artifactBucket,
    environment,
    certificate: certificate.trim(),
  };
  for (const [name, value] of Object.entries(values)) {
    if (value.includes("{{"))
      throw new RangeError(`${name} has {{ in it, which Systems Manager takes for a parameter.`);
  }
  return [
    "#!/usr/bin/env bash",
    "set -euo pipefail",
    // Checked by the document's pattern before it comes here.
    `release_hash='{{ ${HASH_PARAMETER.name} }}'`,
    ...Object.entries(values).map(([name, value]) => `${name}=${shellQuote(value)}`),
    ...["files/aws.sh", "files/lib.sh", "release.sh"].map(scriptText),
  ].join("\n");
}

function scriptText(name: string): string {
  return readFileSync(join(import.meta.dirname, name), "utf8").replace(/^#!.*\n/, "");
}
