/** Colours for a terminal; none where NO_COLOR is set or the stream is no terminal. */
import { styleText } from "node:util";

type Format = Parameters<typeof styleText>[0];

export interface Style {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly strong: (text: string) => string;
}

export function styleFor(stream: NodeJS.WriteStream): Style {
  const as = (format: Format) => (text: string) => styleText(format, text, { stream });
  return { good: as("green"), bad: as("red"), warn: as("yellow"), dim: as("dim"), strong: as("bold") };
}
