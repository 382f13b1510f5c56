import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalText } from "../../../../runtime/warehouse/snowflake/snowflake-value.ts";
import { runOn, withServer } from "./driver-fixture.ts";
import { resultOf } from "./protocol-server.ts";

/** As Snowflake sends them: dates in days since 1970, times and timestamps in seconds, TIMESTAMP_TZ with minutes + 1440 behind. */
const VALUES: readonly (readonly [type: string, scale: number, sent: string | null, text: string | null])[] = [
  ["fixed", 0, null, null],
  ["text", 0, null, null],
  ["variant", 0, null, null],
  ["timestamp_ltz", 9, null, null],
  ["fixed", 0, "12", "12"],
  ["fixed", 0, "-99999999999999999999999999999999999999", "-99999999999999999999999999999999999999"],
  ["fixed", 2, "-12.50", "-12.50"],
  ["fixed", 2, "-12.5", "-12.50"],
  ["fixed", 2, "7", "7.00"],
  ["fixed", 10, "1234567890123456789012345678.0123456789", "1234567890123456789012345678.0123456789"],
  ["real", 0, "0.30000000000000004", "0.30000000000000004"],
  ["real", 0, "1e+21", "1e+21"],
  ["real", 0, "3.000000000000000e+00", "3"],
  ["real", 0, "inf", "Infinity"],
  ["real", 0, "-inf", "-Infinity"],
  ["real", 0, "NaN", "NaN"],
  ["real", 0, "-0", "-0"],
  ["boolean", 0, "1", "true"],
  ["boolean", 0, "false", "false"],
  ["text", 0, "", ""],
  ["text", 0, "NULL", "NULL"],
  ["date", 0, "19724", "2024-01-02"],
  ["date", 0, "-719162", "0001-01-01"],
  ["date", 0, "2932896", "9999-12-31"],
  ["date", 0, "-1", "1969-12-31"],
  ["time", 9, "11045.123456789", "03:04:05.123456"],
  ["time", 0, "0", "00:00:00.000000"],
  ["time", 6, "86399.999999", "23:59:59.999999"],
  ["timestamp_ntz", 9, "1704164645.600000000", "2024-01-02 03:04:05.600000"],
  ["timestamp_ntz", 9, "1704164645.123456999", "2024-01-02 03:04:05.123456"],
  ["timestamp_ntz", 9, "-0.000001000", "1969-12-31 23:59:59.999999"],
  ["timestamp_ntz", 9, "-62135596800.000000000", "0001-01-01 00:00:00.000000"],
  ["timestamp_ntz", 6, "253402300799.999999", "9999-12-31 23:59:59.999999"],
  ["timestamp_ltz", 9, "1704157445.000000000", "2024-01-02 01:04:05.000000+00"],
  ["timestamp_ltz", 9, "-62135596799.999999000", "0001-01-01 00:00:00.000001+00"],
  ["timestamp_tz", 9, "1704157445.000000000 1560", "2024-01-02 01:04:05.000000+00"],
  ["binary", 0, "DEADBEEF", "deadbeef"],
  ["variant", 0, '{"b": 1, "a": [true, null]}', '{"a":[true,null],"b":1}'],
  ["variant", 0, '{"n":12345678901234567890.12}', '{"n":12345678901234567890.12}'],
  ["object", 0, '{ "z" : 1, "a" : "x" }', '{"a":"x","z":1}'],
  ["array", 0, "[ 1, 2 ]", "[1,2]"],
  ["map", 0, '{"k2":{"a":1},"k1":null}', '{"k1":null,"k2":{"a":1}}'],
  ["variant", 0, "<a>1</a>", "<a>1</a>"],
  ["variant", 0, "process.exit(7)", "process.exit(7)"],
  ["variant", 0, "null", "null"],
];

describe("values of Snowflake", () => {
  it("come out of the driver as the one text that every warehouse gives", async () => {
    const columns = VALUES.map(([type, scale], i) => ({ name: `c${i}`, type, scale }));
    await withServer(async (server) => {
      server.behave(({ sql }) =>
        sql === "select 1" ? resultOf(columns, [VALUES.map(([, , sent]) => sent)]) : undefined,
      );
      const { rows, columns: seen } = await runOn(server, "select 1");
      const table = (texts: readonly (string | null)[]) => VALUES.map(([type, , sent], i) => [type, sent, texts[i]]);
      expect(table(rows[0] ?? [])).toEqual(table(VALUES.map(([, , , text]) => text)));
      expect(seen[0]).toEqual({ name: "c0", type: "FIXED" });
    });
  });

  it("are the same instants as JavaScript's, from year 1 to 9999, cut to microseconds", () => {
    const milliseconds = fc.integer({ min: Date.UTC(2000) - 63_082_281_600_000, max: Date.UTC(9999, 11, 31) });
    fc.assert(
      fc.property(milliseconds, fc.integer({ min: 0, max: 999_999 }), (instant, nanoseconds) => {
        const all = BigInt(instant) * 1_000_000n + BigInt(nanoseconds);
        const digits = String(all < 0n ? -all : all).padStart(10, "0");
        const sent = `${all < 0n ? "-" : ""}${digits.slice(0, -9)}.${digits.slice(-9)}`;
        const [date, time] = new Date(instant).toISOString().replace("Z", "").split("T");
        const text = `${date} ${time}${String(Math.floor(nanoseconds / 1000)).padStart(3, "0")}`;
        expect(canonicalText(sent, { name: "TIMESTAMP_NTZ", scale: 9 })).toBe(text);
        expect(canonicalText(`${sent} 1260`, { name: "TIMESTAMP_TZ", scale: 9 })).toBe(`${text}+00`);
      }),
    );
  });

  it("keep every digit of a number, and every bit of a float", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }), fc.double(), (integer, float) => {
        expect(canonicalText(String(integer), { name: "FIXED", scale: 0 })).toBe(String(integer));
        const text = canonicalText(Object.is(float, -0) ? "-0" : String(float), { name: "REAL", scale: 0 });
        expect(Object.is(Number(text), float)).toBe(true);
      }),
    );
  });

  it("keep columns of the same name apart, and their order", async () => {
    await withServer(async (server) => {
      const columns = ["a", "a", "b"].map((name) => ({ name, type: "text" }));
      server.behave(({ sql }) => (sql === "select 1" ? resultOf(columns, [["1", "2", "3"]]) : undefined));
      expect((await runOn(server, "select 1")).rows).toEqual([["1", "2", "3"]]);
    });
  });

  it("come in thousands", async () => {
    await withServer(async (server) => {
      const rows = Array.from({ length: 5000 }, (_, i) => [String(i), `row ${i}`]);
      const columns = [
        { name: "id", type: "fixed" },
        { name: "name", type: "text" },
      ];
      server.behave(({ sql }) => (sql === "select 1" ? resultOf(columns, rows) : undefined));
      expect((await runOn(server, "select 1")).rows).toEqual(rows);
    });
  });

  it("are refused where they are no value of their type", async () => {
    expect(() => canonicalText("yesterday", { name: "TIMESTAMP_NTZ", scale: 9 })).toThrow(TypeError);
    await withServer(async (server) => {
      const columns = [{ name: "at", type: "timestamp_ntz", scale: 9 }];
      server.behave(({ sql }) => (sql === "select 1" ? resultOf(columns, [["yesterday"]]) : undefined));
      await expect(runOn(server, "select 1")).rejects.toMatchObject({ code: "INTERNAL" });
    });
  });
});
