import { expect, test } from "vitest";
import type { Warning } from "../../../runtime/core/warning.ts";
import { Warnings } from "../../../runtime/load/warnings.ts";

test("what a load finds again when it starts over is told once", () => {
  const heard: Warning[] = [];
  const lines: string[] = [];
  const warnings = new Warnings((warning) => heard.push(warning));
  const context = { log: (message: string, level?: string) => void lines.push(`${level}: ${message}`) };
  const one: Warning = { kind: "column_new", table: "t", message: "One.", remedy: "Do it." };
  const other: Warning = { ...one, table: "u", message: "Other." };
  warnings.tell(context, [one]);
  warnings.tell(context, [one, other]);
  expect(heard).toEqual([one, other]);
  expect(lines).toEqual(["warn: One. Do it.", "warn: Other. Do it."]);
});
