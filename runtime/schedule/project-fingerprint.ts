/** Tells whether a project, or what its templates read from outside, has changed since its models were built. */
import { createHash } from "node:crypto";
import { readProjectFiles } from "../transform/project-files.ts";

/**
 * A hash over every file that makes the project, and the variables that env_var() can read. To be taken before the project is loaded: a file
 * that changes in between then counts as changed.
 *
 * @throws NovaError PROJECT_MISSING, PROJECT_INVALID
 */
export async function projectFingerprint(
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const { projectText, models, macros, tests, analyses, properties } = await readProjectFiles(folder);
  const texts = [models, macros, tests, analyses].map((files) => files.map(({ path, text }) => [path, text]));
  const described = properties.map(({ path, content }) => [path, content]);
  const variables = Object.entries(environment).flatMap(([name, value]) =>
    name.startsWith("DBT_") ? [`${name}=${value}`] : [],
  );
  const everything = JSON.stringify([projectText, texts, described, variables.toSorted()]);
  return createHash("sha256").update(everything).digest("base64url");
}
