/** A node on its way into the project: read and parsed, its references not yet tied to other nodes. */
import type { Reference } from "./parse-template.ts";
import type { ProjectNode } from "./project.ts";

export interface LooseNode<T extends ProjectNode = ProjectNode> {
  readonly node: T;
  readonly references: readonly Reference[];
  /** Where the references stand, to find their lines. */
  readonly text: string;
}

export const baseName = (path: string): string => path.replace(/^.*\//, "").replace(/\.\w+$/, "");

/** The folders between a root such as `models` and the file. */
export function folders(path: string, roots: readonly string[]): readonly string[] {
  const root = roots.find((candidate) => path.startsWith(`${candidate}/`)) ?? "";
  return path
    .slice(root.length + 1)
    .split("/")
    .slice(0, -1);
}
