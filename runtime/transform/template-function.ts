/** How a JavaScript function is called from a template: positional and keyword arguments bound to names, as in Python. */

export interface TemplateFunction {
  readonly parameters: readonly string[];
  /** Keywords outside of `parameters` are taken too (`config`). */
  readonly anyKeyword?: boolean | undefined;
  readonly body: (values: Readonly<Record<string, unknown>>) => unknown;
}

/** What a template sees, by name: functions, plain values, and objects of both. */
export type TemplateScope = Readonly<Record<string, unknown>>;

const functions = new WeakSet<object>();

export function templateFunction(
  parameters: readonly string[],
  body: TemplateFunction["body"],
  options: { readonly anyKeyword?: boolean | undefined } = {},
): TemplateFunction {
  const made = { parameters, body, ...options };
  functions.add(made);
  return made;
}

export function isTemplateFunction(value: unknown): value is TemplateFunction {
  return typeof value === "object" && value !== null && functions.has(value);
}

/**
 * Binds the arguments as minijinja-js hands them over: keyword arguments come as a Map behind the others, which a literal `{…}` does too.
 * The Map counts as keywords if all its keys are parameters.
 *
 * @throws RangeError for too many arguments
 */
export function bindArguments(
  name: string,
  { parameters, anyKeyword = false }: Pick<TemplateFunction, "parameters" | "anyKeyword">,
  handed: readonly unknown[],
): Readonly<Record<string, unknown>> {
  const last = handed.at(-1);
  const keys = last instanceof Map ? [...last.keys()].map(String) : [];
  const keyword = last instanceof Map && (anyKeyword || keys.every((key) => parameters.includes(key)));
  const positional = keyword ? handed.slice(0, -1) : handed;
  if (positional.length > parameters.length) {
    throw new RangeError(`${name}() takes at most ${parameters.length} arguments, not ${positional.length}`);
  }
  const bound: Record<string, unknown> = {};
  for (const [index, value] of positional.entries()) bound[parameters[index] ?? ""] = plainValue(value);
  if (keyword && last instanceof Map) for (const [key, value] of last) bound[String(key)] = plainValue(value);
  return bound;
}

/** Maps, at any depth, as plain objects: minijinja-js hands dictionaries over as Maps, but does not take Maps back. */
export function plainValue(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), plainValue(item)]));
  if (Array.isArray(value)) return value.map(plainValue);
  return value ?? null;
}
