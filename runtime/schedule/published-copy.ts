/**
 * A copy of what the warehouse has published last, and whether the models agree with it, by which a batch sees that there is nothing to do
 * without asking the warehouse. It is made worthless before the warehouse is first written to, and written when all is done: a copy that is
 * lost, torn or of another warehouse costs one look into the warehouse, and no copy ever says more than what was committed.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Config } from "../config/options.ts";
import { NovaError } from "../core/errors.ts";
import type { KnownState } from "../load/load-batch.ts";

export interface PublishedState extends KnownState {
  /** Fingerprint of the project whose models and tests have all succeeded on this state; null if some have not. */
  readonly project: string | null;
}

const watermark = z.object({
  batchId: z.number().int(),
  cursor: z.string().nullable(),
  cursorColumn: z.string().nullable(),
  fence: z.record(z.string(), z.string()),
});

const copy = z.object({
  version: z.literal(1),
  warehouse: z.string(),
  lastBatchId: z.number().int().nonnegative(),
  watermarks: z.array(z.tuple([z.string(), watermark])),
  seen: z.array(z.tuple([z.string(), z.string()])).default([]),
  project: z.string().nullable(),
});

const fileOf = ({ stateDir }: Config): string => join(stateDir, "published.json");

/** undefined where there is none that can be used, for whatever reason. */
export function readPublished(config: Config): PublishedState | undefined {
  try {
    const read = copy.parse(JSON.parse(readFileSync(fileOf(config), "utf8")));
    if (read.warehouse !== identityOf(config.warehouseUrl)) return undefined;
    const { lastBatchId, watermarks, seen, project } = read;
    return { lastBatchId, watermarks: new Map(watermarks), seen: new Map(seen), project };
  } catch {
    return undefined;
  }
}

/**
 * To be called before the warehouse is changed; it is on disk when this returns.
 *
 * @throws NovaError FOLDER_NOT_WRITABLE
 */
export function forgetPublished(config: Config): void {
  const file = fileOf(config);
  if (!existsSync(file)) return;
  try {
    // Emptied rather than removed: that needs no room on the disk, and reaches it with the file.
    writeFileSync(file, "", { flush: true });
  } catch (cause) {
    throw new NovaError("FOLDER_NOT_WRITABLE", `The file ${file} cannot be written.`, {
      cause,
      remedy: `Give this user write access to it, or remove it: rm '${file}'.`,
    });
  }
}

/** @throws Error of the file system; the next batch then does without */
export function writePublished(config: Config, { lastBatchId, watermarks, seen, project }: PublishedState): void {
  const content: z.input<typeof copy> = {
    version: 1,
    warehouse: identityOf(config.warehouseUrl),
    lastBatchId,
    watermarks: [...watermarks].map(([name, one]) => [name, { ...one, fence: { ...one.fence } }]),
    seen: [...seen],
    project,
  };
  const file = fileOf(config);
  writeFileSync(`${file}.new`, JSON.stringify(content), { flush: true });
  renameSync(`${file}.new`, file);
}

/** Parameters that say how to log in, not where. */
const LOGIN = /key|pass|token|secret|auth/i;

/** Tells warehouses apart without keeping their URLs: a hash, and of the secrets not even that. */
function identityOf(warehouseUrl: string): string {
  const [place = "", query = ""] = warehouseUrl.split("?", 2);
  const parameters = [...new URLSearchParams(query)].flatMap(([name, value]) =>
    LOGIN.test(name) ? [] : [`${name}=${value}`],
  );
  const anonymous = place.replace(/^([a-z]+:\/\/)(?:.*)@/i, "$1");
  return createHash("sha256")
    .update(JSON.stringify([anonymous, parameters.toSorted()]))
    .digest("base64url");
}
