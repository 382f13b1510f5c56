/** The process that translates SQL: started when needed, remembered what it said, gone when it is not needed. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, expect, it } from "vitest";
import { Translator } from "../../../runtime/warehouse/duckdb/translate/translator.ts";

const translator = new Translator();

afterAll(() => translator[Symbol.asyncDispose]());

it("translates several texts at once, each to its own", async () => {
  const texts = Array.from({ length: 20 }, (_, i) => `select nvl(a, ${i}) from t`);
  const translated = await Promise.all(texts.map((text) => translator.translate(text)));
  expect(translated).toEqual(texts.map((_, i) => [`SELECT COALESCE(a, ${i}) FROM t`]));
});

it("gives each statement of a text", async () => {
  expect(await translator.translate("delete from a; insert into a select 1;")).toEqual([
    "DELETE FROM a",
    "INSERT INTO a SELECT 1",
  ]);
  expect(await translator.translate("-- nothing\n")).toEqual([]);
});

it("says where the SQL cannot be read, in characters of the given text", async () => {
  const failing = translator.translate("select 'é😀',\n  b b b from t");
  await expect(failing).rejects.toMatchObject({
    code: "MODEL_SQL_FAILED",
    message: expect.stringContaining("line 2"),
    details: { line: 2, column: 7 },
  });
  await expect(translator.translate("select 'open")).rejects.toMatchObject({ details: { line: 1 } });
});

it("gives the same whether the caller waits or not", async () => {
  const sql = "select initcap(a), b / c, d::integer from t qualify rank() over (order by a) = 1";
  const other = new Translator();
  try {
    const [text] = await translator.translate(sql);
    expect(other.translateNow(`${sql} -- waits`)).toEqual([`${text} /* waits */`]);
  } finally {
    await other[Symbol.asyncDispose]();
  }
});

it("does not keep the program alive, nor outlive it", async () => {
  const program = `
    const { Translator } = await import(${JSON.stringify(`${import.meta.dirname}/../../../runtime/warehouse/duckdb/translate/translator.ts`)});
    const translated = await new Translator().translate("select 1");
    console.log(translated[0]);
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], {
    timeout: 30_000,
  });
  expect(stdout.trim()).toBe("SELECT 1");
});

it("starts again after it was stopped", async () => {
  const other = new Translator();
  expect(await other.translate("select 101")).toEqual(["SELECT 101"]);
  await other[Symbol.asyncDispose]();
  expect(await other.translate("select 102")).toEqual(["SELECT 102"]);
  await other[Symbol.asyncDispose]();
});
