/** Settings that refer to a secret get its value: once, when the process starts, and only in its memory. */
import { NovaError } from "../core/errors.ts";
import { hideInTexts } from "../core/redact.ts";
import type { readSecret } from "./aws-secret.ts";
import { environmentName } from "./config.ts";
import { hasPrivateKey } from "./certificate.ts";
import { OPTIONS, type Config, type Option } from "./options.ts";
import { isReference, parseReference, REFERENCE_FORM } from "./secret-reference.ts";

/** Settings that may be a reference. */
export type SecretSetting = "sourceUrl" | "uiPasswordHash" | "uiTlsKey";

export interface ResolveOptions {
  readonly signal?: AbortSignal | undefined;
  /** For tests that have no AWS. */
  readonly read?: typeof readSecret | undefined;
}

/**
 * @param names what the command needs; nothing else is asked for
 * @returns the settings with values for references; the values are kept out of every message and log from here on
 * @throws NovaError CONFIG_INVALID (no such secret, not allowed, not of use), SECRET_UNREACHABLE
 */
export async function resolveSecrets<C extends Pick<Config, SecretSetting>>(
  config: C,
  names: readonly SecretSetting[],
  options: ResolveOptions = {},
): Promise<C> {
  const resolved = await Promise.all(
    names.map(async (name) => {
      const value = config[name];
      const secret = value === undefined ? undefined : await resolve(name, value, options);
      if (secret !== undefined) hideSecret(name, secret);
      return [name, secret] as const;
    }),
  );
  return { ...config, ...Object.fromEntries(resolved) };
}

/** Keeps the settings that are secrets out of every message and log of this process. */
export function hideSecrets(config: Pick<Config, "sourceUrl" | "uiPasswordHash">): void {
  for (const name of ["sourceUrl", "uiPasswordHash"] as const) {
    const value = config[name];
    if (value !== undefined && !isReference(value)) hideSecret(name, value);
  }
}

function hideSecret(name: SecretSetting, value: string): void {
  if (name === "uiTlsKey" && !hasPrivateKey(value)) return; // Its file's name.
  hideInTexts(value);
  // A log writes a text of several lines on one.
  if (name === "uiTlsKey") for (const line of value.split(/\r?\n/)) if (!line.startsWith("-----")) hideInTexts(line);
  if (name !== "sourceUrl" || !URL.canParse(value)) return;
  const { password, username, hostname, pathname } = new URL(value);
  // `postgres://postgres:postgres@…` has no secret, only words that every message needs.
  if ([username, hostname, pathname.slice(1), "postgres", "postgresql"].includes(password)) return;
  hideInTexts(password);
  try {
    hideInTexts(decodeURIComponent(password));
  } catch {
    // A stray % is no escape; then the text above is all there is.
  }
}

async function resolve(name: SecretSetting, value: string, { read, signal }: ResolveOptions): Promise<string> {
  if (!isReference(value)) return value;
  const setting = environmentName(OPTIONS[name]);
  const reference = parseReference(value);
  if (!reference) {
    throw new NovaError("CONFIG_INVALID", `${setting} is no reference to a secret.`, {
      remedy: `Write ${REFERENCE_FORM}.`,
    });
  }
  const readIt = read ?? (await import("./aws-secret.ts")).readSecret;
  // What comes through a pipe ends with a line end.
  const secret = (await readIt({ ...reference, setting, signal })).trim();
  const { schema, stored = schema }: Option<string | undefined> = OPTIONS[name];
  const checked = stored.safeParse(secret);
  if (checked.success && !isReference(secret)) return secret;
  const why = checked.success ? "refers to another secret" : checked.error.issues[0]?.message;
  throw new NovaError("CONFIG_INVALID", `The secret ${reference.id} is of no use for ${setting}: it ${why}.`, {
    remedy: `Store the bare value, no JSON: aws secretsmanager put-secret-value --secret-id ${reference.id} --secret-string file:///dev/stdin`,
  });
}
