import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TranslationCache } from "../../../../runtime/warehouse/duckdb/translate/translation-cache.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "novadrive-cache-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const FILE = "translations.json";
const GOOD = { ok: true, statements: ["SELECT 1"] } as const;

describe("the translation cache", () => {
  it("keeps translations for the next process", () => {
    const cache = new TranslationCache(folder);
    cache.set("select 1", GOOD);
    cache.save();
    expect(new TranslationCache(folder).get("select 1")).toEqual(GOOD);
  });

  it("does not keep errors", () => {
    const cache = new TranslationCache(folder);
    cache.set("select (", { ok: false, message: "no" });
    expect(cache.get("select (")).toBeUndefined();
  });

  it("forgets what another version of the translator has made", () => {
    const cache = new TranslationCache(folder);
    cache.set("select 1", GOOD);
    cache.save();
    const content = JSON.parse(readFileSync(join(folder, FILE), "utf8"));
    writeFileSync(join(folder, FILE), JSON.stringify({ ...content, translator: "older" }));
    expect(new TranslationCache(folder).get("select 1")).toBeUndefined();
  });

  it.each(["", "{", '{"translator": 1}'])("begins anew where the file holds %j", (text) => {
    writeFileSync(join(folder, FILE), text);
    const cache = new TranslationCache(folder);
    expect(cache.get("select 1")).toBeUndefined();
    cache.set("select 1", GOOD);
    cache.save();
    expect(new TranslationCache(folder).get("select 1")).toEqual(GOOD);
  });

  it("goes on without a file where the folder cannot be made", () => {
    writeFileSync(join(folder, "file"), "");
    const cache = new TranslationCache(join(folder, "file", "below"));
    cache.set("select 1", GOOD);
    expect(() => cache.save()).not.toThrow();
    expect(cache.get("select 1")).toEqual(GOOD);
  });

  it("drops what was not used for the longest time", () => {
    const cache = new TranslationCache();
    for (let i = 0; i <= 2_000; i++) {
      cache.set(`select ${i}`, GOOD);
      cache.get("select 0");
    }
    expect(cache.get("select 0")).toEqual(GOOD);
    expect(cache.get("select 1")).toBeUndefined();
    expect(cache.get("select 2")).toEqual(GOOD);
  });
});
