import { expect, test } from "vitest";
import { html } from "../../../runtime/web/html.ts";
import { warningsPanel } from "../../../runtime/web/views/warnings.ts";

test("warnings are told with their table and what ends them; without any there is no panel", () => {
  const warning = { kind: "column_new", table: "vendas", message: "It has <more>.", remedy: "Run `this`." };
  const text = String(html`${warningsPanel([warning, { ...warning, table: undefined }])}`);
  expect(text).toContain("2 warnings");
  expect(text).toContain('<span class="where">vendas</span>');
  expect(text).toContain("It has &lt;more&gt;.");
  expect(text).toContain("Run <code>this</code>.");
  expect(warningsPanel([])).toBeNull();
  expect(warningsPanel(undefined)).toBeNull();
});
