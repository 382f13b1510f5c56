/** A dbt project in a folder of its own, from the texts of its files. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { loadProject, type LoadProjectOptions } from "../../../runtime/transform/load-project.ts";
import type { Project } from "../../../runtime/transform/project.ts";

export const TARGET = { name: "test", schema: "analytics", type: "snowflake" };

export interface ProjectFolder extends AsyncDisposable {
  readonly folder: string;
  load(options?: Partial<LoadProjectOptions>): Promise<Project>;
}

/** @param files text by path; a dbt_project.yml is added if there is none */
export async function projectFolder(files: Readonly<Record<string, string>>): Promise<ProjectFolder> {
  const folder = await mkdtemp(join(tmpdir(), "project-"));
  const all = { "dbt_project.yml": "name: shop\nconfig-version: 2\n", ...files };
  for (const [path, text] of Object.entries(all)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return {
    folder,
    load: (options) => loadProject({ folder, target: TARGET, ...options }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
