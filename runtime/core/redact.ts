/** Text as it may be shown: passwords that stand in URLs, and secrets that this process knows, are taken out, wherever the text comes from. */

/** To the last @ of the word, because passwords are often given without the escapes that URLs ask for. */
const LOGIN = /([a-z][a-z0-9+.-]*:\/\/[^:@\s/]*):\S*@/gi;
const PARAMETER = /([?&](?:password|passphrase|private_key|token|secret)=)[^&\s"']*/gi;

/** Shorter ones would take ordinary words out of every text. */
const SHORTEST_HIDDEN = 8;

const hidden = new Set<string>();

/** From here on this process shows the value nowhere, whatever stands around it. */
export function hideInTexts(secret: string): void {
  if (secret.length >= SHORTEST_HIDDEN) hidden.add(secret);
}

export function redact(text: string): string {
  let shown = text.replaceAll(LOGIN, "$1:***@").replaceAll(PARAMETER, "$1***");
  for (const secret of hidden) shown = shown.replaceAll(secret, "***");
  return shown;
}

/** The same for every text in a plain value. */
export function redactAll(value: unknown): unknown {
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map(redactAll);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redactAll(inner)]));
}
