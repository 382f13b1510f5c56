/** Errors of the template engine, with what to do about them. */
import { closestMatch } from "leven";
import { NovaError } from "../core/errors.ts";

/** What the rendering of a macro by itself is called in the engine's messages. */
export const MACRO_CALL = "macro call";

/** Turns minijinja's message (`undefined value (in models/x.sql:3)` and an excerpt) into one that says what to do. */
export function describeEngineError(text: string, known: readonly string[], cause: unknown): NovaError {
  const match = /^(.*?)(?: \(in (.+):(\d+)\))?$/m.exec(text);
  const problem = match?.[1] ?? text;
  const file = match?.[2]?.trimEnd();
  const line = match?.[3] === undefined ? undefined : Number(match[3]);
  const { message, remedy } = explain(problem, excerpt(text), known);
  const placed = file !== undefined && file !== MACRO_CALL && line !== undefined;
  return new NovaError("MODEL_COMPILE_FAILED", placed ? `${file}:${line} ${message}` : message, {
    remedy,
    cause,
    details: placed ? { file, line } : {},
  });
}

/** The code that minijinja underlines with ^^^. */
function excerpt(text: string): string | undefined {
  const lines = text.split("\n");
  const carets = lines.findIndex((line) => /^\s+i\s+\^+/.test(line));
  const from = lines[carets]?.indexOf("^") ?? -1;
  const length = /\^+/.exec(lines[carets] ?? "")?.[0].length ?? 0;
  return from < 0 ? undefined : lines[carets - 1]?.slice(from, from + length);
}

function explain(
  problem: string,
  code: string | undefined,
  known: readonly string[],
): { message: string; remedy: string } {
  const unknown =
    /^unknown function: (\w+) is unknown$/.exec(problem)?.[1] ?? (problem === "undefined value" ? code : undefined);
  if (unknown !== undefined) {
    const guess = closestMatch(unknown, [...known], { maxDistance: 3 });
    return {
      message: `${unknown} is not defined`,
      remedy: guess ? `Did you mean ${guess}?` : `Define it with {% set %} or as a macro, or correct the name.`,
    };
  }
  if (problem.startsWith("unknown method: undefined has no method")) {
    return {
      message: `${code ?? "the name before the dot"} is not defined`,
      remedy:
        "Packages (dbt_utils and the like) and the dbt.* macros are not there; write the SQL, or a macro of the project's own.",
    };
  }
  if (problem.includes("out of fuel")) {
    return { message: "the template runs for too long", remedy: "Look for a loop that does not end." };
  }
  return { message: problem, remedy: "Correct the template at this line." };
}
