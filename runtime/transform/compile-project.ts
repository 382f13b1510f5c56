/** `novadrive compile`: the SQL of every selected node, and the files that a person can read it in. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { NovaError } from "../core/errors.ts";
import { Compiler, type CompilerOptions } from "./compile.ts";
import type { Project, ProjectNode } from "./project.ts";
import { selectNodes, type Selection } from "./select.ts";

export interface CompileProjectOptions extends CompilerOptions, Selection {}

export interface CompiledNode {
  readonly id: string;
  readonly kind: ProjectNode["kind"];
  readonly name: string;
  /** Path of the template, relative to the working directory. */
  readonly file: string;
  /** In Snowflake's dialect. */
  readonly sql: string;
}

/**
 * In order of dependency; models, tests and analyses.
 *
 * @throws NovaError MODEL_COMPILE_FAILED, SELECTION_EMPTY
 */
export function compileProject(options: CompileProjectOptions): readonly CompiledNode[] {
  const compiler = new Compiler(options);
  const selected = selectNodes(options.project, options);
  return [...options.project.nodes.values()]
    .filter((node) => selected.has(node.id))
    .map((node) => ({
      id: node.id,
      kind: node.kind,
      name: node.name,
      file: node.file,
      sql: compiler.compile(node).sql,
    }));
}

/**
 * Where dbt would write it: `compiled/<project>/models/facts/fct_vendas.sql`, a generic test below its yml file.
 *
 * @param targetFolder usually `<project>/target`
 */
export function compiledPath(targetFolder: string, project: Project, node: ProjectNode): string {
  const file = node.path.endsWith(".sql") ? node.path : `${node.path}/${node.name.slice(0, 200)}.sql`;
  return join(targetFolder, "compiled", project.name, file);
}

/** @throws NovaError FOLDER_NOT_WRITABLE */
export async function writeCompiled(path: string, sql: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${sql}\n`);
  } catch (cause) {
    throw new NovaError("FOLDER_NOT_WRITABLE", `The compiled SQL cannot be written to ${path}.`, {
      cause,
      details: { path },
    });
  }
}
