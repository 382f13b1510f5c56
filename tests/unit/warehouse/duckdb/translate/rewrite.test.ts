import { expect, it } from "vitest";
import { strftimeFormat } from "../../../../../runtime/warehouse/duckdb/translate/rewrite.ts";

it.each([
  ["YYYY-MM-DD HH24:MI:SS.FF3", "%Y-%m-%d %H:%M:%S.%g"],
  ["yyyy-mm-dd", "%Y-%m-%d"],
  ["DD/MON/YY HH12:MI AM", "%d/%b/%y %I:%M %p"],
  ["DY, MMMM DD", "%a, %B %d"],
  ["FF6 FF FF9", "%f %n %n"],
  ['YYYY"year%"MM', "%Yyear%%%m"],
  ["100%", "100%%"],
  ["TZH:TZM TZHTZM", "+00:00 +0000"],
])("writes the format %s as %s", (format, expected) => {
  expect(strftimeFormat(format)).toBe(expected);
});
