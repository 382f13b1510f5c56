/** Port and passwords of the demo's PostgreSQL, kept in its folder for the next start, readable by its owner only. */
import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { z } from "zod";

const credentials = z.object({
  /** 0 until one was chosen. */
  port: z.int().min(0).max(65535),
  superuserPassword: z.string().min(20),
  ownerPassword: z.string().min(20),
  loaderPassword: z.string().min(20),
});

export type Credentials = z.infer<typeof credentials>;

export function newCredentials(): Credentials {
  const password = (): string => randomBytes(24).toString("base64url");
  return { port: 0, superuserPassword: password(), ownerPassword: password(), loaderPassword: password() };
}

/** @returns undefined where there is no file, or none that can be used */
export async function readCredentials(file: string): Promise<Credentials | undefined> {
  try {
    return credentials.parse(JSON.parse(await readFile(file, "utf8")));
  } catch {
    return undefined;
  }
}

/** For people who want to look into the database; the program itself does not read them back. */
export interface Urls {
  readonly url: string;
  readonly ownerUrl: string;
}

/** Replaces the file in one step, so that a crash leaves the old or the new one. */
export async function writeCredentials(file: string, value: Credentials & Partial<Urls>): Promise<void> {
  const next = `${file}.new`;
  await writeFile(next, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  await rename(next, file);
}
