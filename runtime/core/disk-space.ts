/** Room that is left on a disk. */
import { statfs } from "node:fs/promises";
import { ok, warning, type Finding } from "./finding.ts";
import { formatBytes } from "./format.ts";

/** Less than this and a first load of some million rows may not fit: staged files, warehouse and its temporary files come together. */
const LITTLE = 2e9;

export interface DiskCheck {
  readonly check: string;
  /** An existing folder. */
  readonly folder: string;
  /** How to get more room. */
  readonly remedy: string;
}

/** Whether the disk that a folder is on has room enough for a batch. */
export async function checkDiskSpace({ check, folder, remedy }: DiskCheck): Promise<Finding> {
  try {
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    const detail = `${formatBytes(free)} free at ${folder}.`;
    return free < LITTLE ? warning(check, detail, remedy) : ok(check, detail);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return warning(check, `The free space at ${folder} could not be read: ${why}.`, `See what \`df ${folder}\` says.`);
  }
}
