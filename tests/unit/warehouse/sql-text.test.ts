import { expect, it } from "vitest";
import { linePosition, locate } from "../../../runtime/warehouse/sql-text.ts";

it("counts lines and characters from 1", () => {
  expect(linePosition("select 1", 0)).toEqual({ line: 1, column: 1 });
  expect(linePosition("é😀\nab", 4)).toEqual({ line: 2, column: 2 });
});

it("finds the word that the engine points at, by its place among its likes", () => {
  const written = "select a,\n  -- price\n  'price', price\nfrom t where price > 0";
  const sent = "SELECT a, 'price', price FROM t WHERE price > 0";
  expect(locate({ written, sent, position: 19 })).toEqual({ token: "price", line: 3, column: 12 });
  expect(locate({ written, sent, position: 38 })).toEqual({ token: "price", line: 4, column: 14 });
});

it("counts the engine's position in bytes", () => {
  const sent = "SELECT 'é😀', nope";
  expect(locate({ written: "select 'é😀', nope", sent, position: Buffer.byteLength("SELECT 'é😀', ") })).toEqual({
    token: "nope",
    line: 1,
    column: 14,
  });
});

it("falls back on the name that the engine complains of", () => {
  expect(locate({ written: 'select "No pe" from t', sent: 'SELECT "No pe" FROM t', subject: "No pe" })).toMatchObject({
    column: 8,
  });
  expect(locate({ written: "select 1", sent: "SELECT 1", position: 7 })).toBeUndefined();
  expect(locate({ written: "select a", sent: "SELECT b", subject: "missing" })).toBeUndefined();
});
