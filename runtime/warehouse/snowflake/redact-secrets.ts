/** Takes out of a text what Snowflake's driver and AWS's could have put in: keys, tokens and signed URLs. */
import { redact } from "../../core/redact.ts";

const PEM = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g;
const JWT = /\beyJ[\w-]+\.[\w-]+\.[\w-]+/g;
/** `Snowflake Token="ver:1-hint:…-ETMsDg…"`, `"masterToken":"…"`, `token=…`. */
const TOKEN =
  /((?:token|authorization|secret|password|qrmk|master_?key)["']?\s*[:=]\s*\\?["']?)(?!\*)[^\s"'&,;\\]{8,}/gi;
const VERSIONED_TOKEN = /\bver:\d+-hint:[\w=+/:.-]+/g;
const SIGNED = /([?&](?:X-Amz-[A-Za-z-]+|Signature|sig|AWSAccessKeyId|Credential|sv|se)=)[^&\s"']+/g;

export function redactSecrets(text: string): string {
  return redact(text)
    .replaceAll(PEM, "***")
    .replaceAll(JWT, "***")
    .replaceAll(VERSIONED_TOKEN, "***")
    .replaceAll(TOKEN, "$1***")
    .replaceAll(SIGNED, "$1***");
}
