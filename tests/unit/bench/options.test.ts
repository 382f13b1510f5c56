/** The bench's command line. */
import { describe, expect, test } from "vitest";
import { CASE_NAMES } from "../../bench/case-names.ts";
import { HELP, parseOptions } from "../../bench/options.ts";
import { parseRequirements } from "../../bench/peers/python.ts";

describe("the options of the bench", () => {
  test("measure everything but the big table unless told, three times", () => {
    const options = parseOptions([]);
    expect(options).toMatchObject({ rows: 5_000_000, runs: 3, peers: false });
    expect([...(options?.cases ?? [])]).toEqual(CASE_NAMES.filter((name) => name !== "big"));
  });
  test("name cases, all or none", () => {
    expect([...(parseOptions(["--cases", "cursor, scan"])?.cases ?? [])]).toEqual(["cursor", "scan"]);
    expect(parseOptions(["--cases=all"])?.cases.size).toBe(CASE_NAMES.length);
    expect(parseOptions(["--cases=none"])?.cases.size).toBe(0);
  });
  test("refuse a case that there is not, and a size that is none", () => {
    expect(() => parseOptions(["--cases", "scan,scam"])).toThrow("no scam; there are first, ");
    expect(() => parseOptions(["--rows", "5M"])).toThrow("--rows: 5M is not a whole number above 0");
    expect(() => parseOptions(["--runs", "0"])).toThrow("--runs");
  });
  test("explain every case", () => {
    expect(parseOptions(["--help"])).toBeUndefined();
    for (const name of CASE_NAMES) expect(HELP).toContain(`\n  ${name} `);
  });
});

test("the peers' packages are each pinned to one version", async () => {
  const { readFile } = await import("node:fs/promises");
  const text = await readFile(new URL("../../bench/peers/requirements.txt", import.meta.url), "utf8");
  const packages = parseRequirements(text);
  expect(packages).toContain("connectorx==0.4.6");
  expect(packages.filter((one) => !/^[a-z0-9-]+(\[[a-z]+\])?==[0-9.]+$/.test(one))).toEqual([]);
});
