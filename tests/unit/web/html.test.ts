import fc from "fast-check";
import { expect, test } from "vitest";
import { html } from "../../../runtime/web/html.ts";

test("values are escaped, in text and in quoted attributes", () => {
  const evil = `<img src=x onerror="alert('1')">&`;
  expect(html`<p title="${evil}">${evil}</p>`.toString()).toBe(
    '<p title="&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;">&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;</p>',
  );
});

test("HTML made the same way is kept, also in lists within lists", () => {
  const items = ["a<", "b"].map((text) => html`<b>${text}</b>`);
  expect(html`<i>${[items, [html`<b>c</b>`]]}</i>`.toString()).toBe("<i><b>a&lt;</b><b>b</b><b>c</b></i>");
});

test("nothing is written for null, undefined and false; zero and the empty text are values", () => {
  expect(html`[${null}${undefined}${false}|${0}|${""}]`.toString()).toBe("[|0|]");
});

test("no text can open a tag, end an attribute or start an entity", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("<", ">", "&", '"', "'", "a", ";", "#", "\n", "é") }), (text) => {
      const written = html`${text}`.toString();
      expect(written).not.toMatch(/[<>"']/);
      expect(written.replaceAll(/&(amp|lt|gt|quot|#39);/g, "")).not.toContain("&");
      const read = written
        .replaceAll("&lt;", "<")
        .replaceAll("&gt;", ">")
        .replaceAll("&quot;", '"')
        .replaceAll("&#39;", "'")
        .replaceAll("&amp;", "&");
      expect(read).toBe(text);
    }),
  );
});
