/**
 * Where the files of a first load are on the stage. What a file holds is said by its own path, so that this is known with the file or not at all,
 * and LIST alone tells it: no warehouse has to run for it, neither while files come nor when they are looked at.
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";

/** Beside the folders of batches, whose names are numbers. */
const FOLDER = "first_loads";

/** Characters. Cloud storages take paths of 1,024 (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html), Snowflake's part included. */
const LONGEST_NOTE = 700;
/** Of one part of a path. */
const LONGEST_NAME = 200;

export interface StagedPart {
  readonly loadId: string;
  /** Number of the opening that it came with. */
  readonly opening: number;
  readonly rows: number;
  /** Undefined: a later batch does not know what the file holds. */
  readonly note?: string | undefined;
}

/** Folder on the stage for all of a load, or for what came with one of its openings. */
export function loadFolder(loadId: string, opening?: number): string {
  return opening === undefined ? `${FOLDER}/${loadId}` : `${FOLDER}/${loadId}/${opening}`;
}

/** Folder for one file. A note that is too long for a path is left out: what the file holds is read again then. */
export function partFolder({ loadId, opening, rows, note }: StagedPart): string {
  const packed = note === undefined ? "" : pack(note);
  const names = packed.length > LONGEST_NOTE ? [] : (packed.match(new RegExp(`.{1,${LONGEST_NAME}}`, "g")) ?? []);
  return [loadFolder(loadId, opening), rows, ...names.map((name) => `n${name}`)].join("/");
}

/** @param names as LIST gives them: stage, then path. Files that are no part of a first load are left out. */
export function readStagedParts(names: readonly string[]): readonly StagedPart[] {
  return names.flatMap((name) => {
    const [, loadId = "", opening, rows, rest = ""] =
      /^[^/]+\/first_loads\/([0-9a-f]+)\/(\d+)\/(\d+)\/(.+)$/.exec(name) ?? [];
    if (opening === undefined) return [];
    const packed = rest.split("/").slice(0, -1);
    const part = { loadId, opening: Number(opening), rows: Number(rows) };
    return [packed.length === 0 ? part : { ...part, note: unpack(packed.map((one) => one.slice(1)).join("")) }];
  });
}

/** Letters, digits, `_` and `.`, which need no quotes; base64's own hyphen, twice, would begin a comment. */
function pack(note: string): string {
  return deflateRawSync(note, { level: 9 }).toString("base64url").replaceAll("-", ".");
}

function unpack(packed: string): string | undefined {
  try {
    return inflateRawSync(Buffer.from(packed.replaceAll(".", "-"), "base64url")).toString();
  } catch {
    return undefined;
  }
}
