/** Reads a project's folder: which files there are, and what stands in them. */
import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { NovaError } from "../core/errors.ts";
import {
  describeProblem,
  parseYamlFile,
  validateYamlFile,
  type FileProblem,
  type YamlFile,
} from "../core/yaml-file.ts";
import { projectFileSchema, type ProjectFile } from "./project-file.ts";
import { propertiesSchema, type PropertiesFile } from "./properties-file.ts";

export interface TextFile {
  /** Path for messages, relative to the working directory. */
  readonly file: string;
  /** Path relative to the project folder, with `/`. */
  readonly path: string;
  readonly text: string;
}

export interface Properties {
  readonly yaml: YamlFile;
  readonly path: string;
  readonly content: PropertiesFile;
}

export interface ProjectFiles {
  readonly projectFile: ProjectFile;
  readonly projectYaml: YamlFile;
  readonly projectText: string;
  readonly models: readonly TextFile[];
  readonly macros: readonly TextFile[];
  readonly tests: readonly TextFile[];
  readonly analyses: readonly TextFile[];
  readonly properties: readonly Properties[];
}

/** @throws NovaError PROJECT_MISSING, PROJECT_INVALID */
export async function readProjectFiles(folder: string): Promise<ProjectFiles> {
  const file = display(join(folder, "dbt_project.yml"));
  let text: string;
  try {
    text = await readFile(join(folder, "dbt_project.yml"), "utf8");
  } catch (cause) {
    throw new NovaError("PROJECT_MISSING", `No dbt project can be read at ${file}.`, { cause, details: { file } });
  }
  const projectYaml = yamlOrThrow(file, text);
  const projectFile = contentOrThrow(projectYaml, validateYamlFile(projectYaml, projectFileSchema));
  const [models, macros, tests, analyses] = await Promise.all([
    readAll(folder, projectFile["model-paths"]),
    readAll(folder, projectFile["macro-paths"]),
    readAll(folder, projectFile["test-paths"]),
    readAll(folder, projectFile["analysis-paths"]),
  ]);
  const yml = [...models, ...macros, ...tests, ...analyses].filter(({ path }) => /\.ya?ml$/.test(path));
  const sql = (files: readonly TextFile[]) => files.filter(({ path }) => path.endsWith(".sql"));
  // Generic tests are macros, wherever they stand.
  const generic = ({ path }: TextFile) => projectFile["test-paths"].some((root) => path.startsWith(`${root}/generic/`));
  return {
    projectFile,
    projectYaml,
    projectText: text,
    models: sql(models),
    macros: [...sql(macros), ...sql(tests).filter(generic)],
    tests: sql(tests).filter((test) => !generic(test)),
    analyses: sql(analyses),
    properties: readProperties(yml),
  };
}

function readProperties(files: readonly TextFile[]): readonly Properties[] {
  const problems: FileProblem[] = [];
  const read = files.flatMap(({ file, path, text }) => {
    const yaml = parseYamlFile(file, text);
    if (!("document" in yaml)) {
      problems.push(...yaml);
      return [];
    }
    if (yaml.value === null) return [];
    const checked = validateYamlFile(yaml, propertiesSchema);
    if ("problems" in checked) {
      problems.push(...checked.problems);
      return [];
    }
    return [{ yaml, path, content: checked.value }];
  });
  throwProblems(problems);
  return read;
}

function yamlOrThrow(file: string, text: string): YamlFile {
  const yaml = parseYamlFile(file, text);
  if ("document" in yaml) return yaml;
  throw invalid(yaml);
}

function contentOrThrow<T>(_yaml: YamlFile, checked: { value: T } | { problems: readonly FileProblem[] }): T {
  if ("value" in checked) return checked.value;
  throw invalid(checked.problems);
}

/** @throws NovaError PROJECT_INVALID if there is any problem */
export function throwProblems(problems: readonly FileProblem[]): void {
  if (problems.length > 0) throw invalid(problems);
}

function invalid(problems: readonly FileProblem[]): NovaError {
  const [first] = problems;
  return new NovaError("PROJECT_INVALID", `The project cannot be used:\n${problems.map(describeProblem).join("\n")}`, {
    remedy:
      problems.length > 1 ? "Correct the lines that the message names." : "Correct the line that the message names.",
    details: { file: first?.file, line: first?.line, column: first?.column },
  });
}

async function readAll(folder: string, roots: readonly string[]): Promise<readonly TextFile[]> {
  const found = await Promise.all(roots.map((root) => filesUnder(folder, root)));
  const paths = [...new Set(found.flat())].toSorted();
  return Promise.all(
    paths.map(async (path) => {
      const absolute = join(folder, path);
      return { file: display(absolute), path, text: await readFile(absolute, "utf8") };
    }),
  );
}

async function filesUnder(folder: string, root: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(join(folder, root), { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && /\.(?:sql|ya?ml)$/.test(entry.name))
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, "/"));
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return [];
    throw thrown;
  }
}

const display = (absolute: string): string => relative(process.cwd(), absolute) || absolute;
