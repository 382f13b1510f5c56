/** Hooks are SQL inside of other files; as templates they keep their lines there, so that errors point to them. */
import type { Template } from "./macros.ts";
import { lineAt } from "./template-scan.ts";

/**
 * @param source the hook's SQL
 * @param from the file that it most likely stands in
 */
export function hookTemplate(source: string, from: { readonly file: string; readonly text: string }): Template {
  const sql = source.trim();
  const at = from.text.indexOf(sql.split("\n")[0] ?? sql);
  // Escaped in its file, or from another one: then it can only be named as a whole.
  if (at < 0 || sql === "") return { file: `hook of ${from.file}`, source };
  return { file: from.file, source: "\n".repeat(lineAt(from.text, at) - 1) + sql };
}
