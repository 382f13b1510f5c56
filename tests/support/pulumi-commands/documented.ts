/** The commands of a section of a Markdown page, as they stand there. */
import { readFileSync } from "node:fs";

/**
 * One string a command: continued lines belong together, and lines that are only a comment are none.
 *
 * @param heading of the section, which goes on to the next heading of its level
 * @throws Error if there is no such section, or no command in it
 */
export function commandsOf({ file, heading }: { readonly file: string; readonly heading: string }): string[] {
  const page = readFileSync(file, "utf8");
  const start = `\n${page}`.indexOf(`\n${heading}\n`);
  if (start < 0) throw new Error(`${file} has no ${heading}`);
  const level = /^#+/.exec(heading)?.[0] ?? "";
  const rest = page.slice(start + heading.length);
  const end = rest.search(new RegExp(`^#{1,${level.length}} `, "m"));
  const section = end < 0 ? rest : rest.slice(0, end);
  const blocks = [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text);
  const commands = blocks
    .flatMap((text) => text.replaceAll("\\\n", " ").split("\n"))
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (commands.length === 0) throw new Error(`${heading} of ${file} has no command`);
  return commands;
}

/**
 * Puts values in the place of `<words>`.
 *
 * @throws Error for a placeholder that there is no value for
 */
export function fill(command: string, values: Readonly<Record<string, string>>): string {
  return command.replaceAll(/<([A-Za-z][A-Za-z ]*)>/g, (placeholder: string, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${placeholder} in «${command}» has no value`);
    return value;
  });
}
