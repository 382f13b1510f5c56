/** JSON in the one form that every warehouse gives (see QueryResult). */

declare global {
  // https://tc39.es/proposal-json-parse-with-source, in Node since 21; TypeScript's library does not have it yet.
  interface JSON {
    rawJSON(text: string): object;
    isRawJSON(value: unknown): boolean;
  }
}

/** Compact, members in the order of their names, numbers with the digits that they came with. */
export function canonicalJson(text: string): string {
  return JSON.stringify(sorted(JSON.parse(text, keepDigits)));
}

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === "number" && context?.source !== undefined ? JSON.rawJSON(context.source) : value;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null || JSON.isRawJSON(value)) return value;
  const entries = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
