/** Contract: what is in a staged file is what a query gives, and what a column cannot hold is an error. */
import { expect, it } from "vitest";
import { manifestTable } from "../support/manifest-table.ts";
import type { Suite } from "./warehouse-contract.ts";
import { csv, raw, snapshotOf, type Cell } from "./warehouse-fixture.ts";

interface Sample {
  readonly type: string;
  /** Staged cell, and what the query gives for it (the cell's own text unless said). */
  readonly values: readonly (readonly [cell: Cell, read: string | null])[];
}

const SAMPLES: Readonly<Record<string, Sample>> = {
  "64-bit integers": {
    type: "integer",
    values: [
      [raw("9223372036854775807"), "9223372036854775807"],
      [raw("-9223372036854775808"), "-9223372036854775808"],
      [raw("0"), "0"],
      [null, null],
    ],
  },
  "integers of 37 digits": {
    type: "number(37,0)",
    values: [
      [raw("9".repeat(37)), "9".repeat(37)],
      [raw(`-${"9".repeat(37)}`), `-${"9".repeat(37)}`],
    ],
  },
  decimals: {
    type: "decimal(10,2)",
    values: [
      [raw("99999999.99"), "99999999.99"],
      [raw("-99999999.99"), "-99999999.99"],
      [raw("-0.01"), "-0.01"],
      [raw("5"), "5.00"],
      [raw("1.10"), "1.10"],
      [null, null],
    ],
  },
  "decimals of 38 digits": {
    type: "decimal(38,10)",
    values: [[raw(`${"9".repeat(28)}.${"9".repeat(10)}`), `${"9".repeat(28)}.${"9".repeat(10)}`]],
  },
  floats: {
    type: "float",
    values: [
      [raw("0.1"), "0.1"],
      [raw("-2.5e-300"), "-2.5e-300"],
      [raw("1.7976931348623157e+308"), "1.7976931348623157e+308"],
      [raw("5e-324"), "5e-324"],
      [raw("NaN"), "NaN"],
      [raw("Infinity"), "Infinity"],
      [raw("-Infinity"), "-Infinity"],
    ],
  },
  booleans: {
    type: "boolean",
    values: [
      [raw("t"), "true"],
      [raw("f"), "false"],
      [null, null],
    ],
  },
  texts: {
    type: "text",
    values: [
      ["", ""],
      [null, null],
      [String.raw`\N`, String.raw`\N`],
      ["NULL", "NULL"],
      [String.raw`back\slash \n`, String.raw`back\slash \n`],
      [`"quoted", it's "" done`, `"quoted", it's "" done`],
      ["line\nbreak\r\nand return\rend", "line\nbreak\r\nand return\rend"],
      ["\n", "\n"],
      ["tab\tand  blanks ", "tab\tand  blanks "],
      ["São Paulo 😀 漢字 e\u0301", "São Paulo 😀 漢字 e\u0301"],
      ["\u0001\u007F", "\u0001\u007F"],
    ],
  },
  dates: {
    type: "date",
    values: [
      [raw("0001-01-01"), "0001-01-01"],
      [raw("1582-10-10"), "1582-10-10"],
      [raw("2024-02-29"), "2024-02-29"],
      [raw("9999-12-31"), "9999-12-31"],
      [null, null],
    ],
  },
  times: {
    type: "time",
    values: [
      [raw("00:00:00"), "00:00:00.000000"],
      [raw("23:59:59.999999"), "23:59:59.999999"],
    ],
  },
  "timestamps with zone": {
    type: "timestamp_ltz",
    values: [
      [raw("2024-03-04 05:06:07.123456+00"), "2024-03-04 05:06:07.123456+00"],
      [raw("2024-03-04 05:06:07+00"), "2024-03-04 05:06:07.000000+00"],
      [raw("0001-01-01 00:00:00+00"), "0001-01-01 00:00:00.000000+00"],
      [raw("9999-12-31 23:59:59.999999+00"), "9999-12-31 23:59:59.999999+00"],
      [raw("1969-12-31 23:59:59.999999+00"), "1969-12-31 23:59:59.999999+00"],
      [null, null],
    ],
  },
  "timestamps without zone": {
    type: "timestamp_ntz",
    values: [
      [raw("2024-03-04 05:06:07.123456"), "2024-03-04 05:06:07.123456"],
      [raw("9999-12-31 23:59:59.999999"), "9999-12-31 23:59:59.999999"],
    ],
  },
  binary: {
    type: "binary",
    values: [
      ["00ff10", "00ff10"],
      ["", ""],
      [null, null],
    ],
  },
  "JSON documents": {
    type: "variant",
    values: [
      ['{"b": [1, 2.5, null], "a": {"x": "é\\n"}}', '{"a":{"x":"é\\n"},"b":[1,2.5,null]}'],
      ["[]", "[]"],
      ['"text"', '"text"'],
      ["true", "true"],
      [null, null],
    ],
  },
};

const REFUSED: readonly (readonly [what: string, type: string, cell: Cell])[] = [
  ["a number with more digits than its column", "decimal(10,2)", raw("100000000.00")],
  ["a number that is none", "decimal(10,2)", raw("12a")],
  ["an integer that is none", "integer", raw("x")],
  ["an integer of 39 digits", "integer", raw("1".repeat(39))],
  ["a text that is longer than its column", "varchar(3)", "abcd"],
  ["a date that does not exist", "date", raw("2023-02-29")],
  ["a timestamp that is none", "timestamp_ltz", raw("yesterday")],
  ["a boolean that is none", "boolean", raw("maybe")],
  ["hex digits that are none", "binary", "zz"],
  ["JSON that is none", "variant", "{"],
  ["NULL in a NOT NULL column", "text not null", null],
];

export function describeValues(suite: () => Suite): void {
  it.each(Object.entries(SAMPLES))("keeps %s exactly", async (what, { type, values }) => {
    const table = manifestTable({
      name: what.replaceAll(/\W/g, "_"),
      columns: { id: "integer not null", value: type },
      primaryKey: ["id"],
    });
    const { batches, prepare } = suite();
    await prepare(table);
    await batches.publish({ table, rows: values.map(([cell], id) => [id, cell]) });
    const read = await batches.rows(`select value from ${name(suite(), table.name)} order by id`);
    expect(read.map(([value]) => value)).toEqual(values.map(([, value]) => value));
  });

  it("keeps a text of three million characters", async () => {
    const table = manifestTable({
      name: "long_texts",
      columns: { id: "integer not null", value: "text" },
      primaryKey: ["id"],
    });
    const { batches, prepare } = suite();
    await prepare(table);
    const text = `start ${'é"\n'.repeat(1_000_000)} end`;
    await batches.publish({
      table,
      rows: [
        [1, "short"],
        [2, text],
        [3, null],
      ],
    });
    const [, long] = await batches.rows(`select value from ${name(suite(), "long_texts")} order by id`);
    expect(long?.[0] === text).toBe(true);
  });

  it("keeps long texts that are full of what looks like the end of a row", async () => {
    const table = manifestTable({
      name: "look_alikes",
      columns: { id: "integer not null", value: "text", other: "text" },
      primaryKey: ["id"],
    });
    const { batches, prepare } = suite();
    await prepare(table);
    const pieces = ['\n7,"a","b"\n', '",\n"', '""', "\r\n", '"x",\n', "1,2,3\n", ",", "\\", '"\n', "é".repeat(20)];
    const text = (id: number): string =>
      Array.from({ length: 6000 }, (_, i) => pieces[(id * 31 + i * i * 7 + i) % pieces.length]).join("");
    const rows = Array.from({ length: 250 }, (_, id): Cell[] => [id, text(id), id % 3 === 0 ? null : "x"]);
    await batches.publish({ table, rows });
    const read = await batches.rows(`select id, value from ${name(suite(), "look_alikes")} order by id`);
    expect(read.length).toBe(rows.length);
    for (const [id, value] of read) expect(value === text(Number(id))).toBe(true);
  });

  it("keeps rows whose only column is NULL", async () => {
    const table = manifestTable({ name: "single_column", columns: { value: "text" }, sync: { mode: "full_refresh" } });
    const { batches, prepare } = suite();
    await prepare(table);
    await batches.publish({
      table,
      action: "replace",
      rows: [
        [null, 1],
        ["", 1],
        ["x", 1],
        [null, 1],
      ],
    });
    const read = await batches.rows(
      `select value, count(*) from ${name(suite(), "single_column")} group by value order by 2, 1`,
    );
    expect(read).toEqual([
      ["", "1"],
      ["x", "1"],
      [null, "2"],
    ]);
  });

  it("reads several files at once, empty and compressed ones too", async () => {
    const table = manifestTable({
      name: "many_files",
      columns: { id: "integer not null", value: "text" },
      primaryKey: ["id"],
    });
    const { batches, prepare } = suite();
    await prepare(table);
    const files = Array.from({ length: 5 }, (_, file) =>
      Array.from({ length: 200 }, (_row, row) => [file * 200 + row, `"${row}\r\n`]),
    );
    const incoming = await batches.take(table, { files: [...files, []] });
    await incoming.add(await batches.gzipped([[1000, "last"]]));
    expect(await incoming.seal()).toBe(1001);
    await incoming.discard();
  });

  it.each(REFUSED)("refuses %s, naming table, column, key and value", async (what, type, cell) => {
    const table = manifestTable({
      name: `refused_${what.replaceAll(/\W/g, "_")}`,
      columns: { id: "integer not null", value: type },
      primaryKey: ["id"],
    });
    const { batches, prepare } = suite();
    await prepare(table);
    const failing = batches.publish({ table, rows: [[1, "1"].map((text) => raw(String(text))), [42, cell]].slice(1) });
    await expect(failing).rejects.toMatchObject({
      code: "WAREHOUSE_VALUE_INVALID",
      message: expect.stringContaining(`${table.name}.value`),
      details: { table: table.name, column: "value", key: "42" },
    });
    expect(await batches.rows(`select count(*) from ${name(suite(), table.name)}`)).toEqual([["0"]]);
  });

  it("refuses a file with a column too few or too many, and one that is cut off", async () => {
    const table = manifestTable({
      name: "misshapen",
      columns: { id: "integer not null", value: "text" },
      primaryKey: ["id"],
    });
    const { batches, prepare } = suite();
    await prepare(table);
    for (const text of ['1,"a"\n2\n', '1,"a"\n2,"b",3\n', '1,"a"\n2,"b']) {
      const incoming = await batches.take(table, { files: [] });
      const file = await batches.file(text, 2);
      const taken = incoming.add(file).then(() => incoming.seal());
      await expect(taken).rejects.toMatchObject({ code: "WAREHOUSE_VALUE_INVALID" });
      await incoming.discard();
    }
  });

  it("counts what arrived against what was sent", async () => {
    const table = manifestTable({ name: "counted", columns: { id: "integer not null" }, primaryKey: ["id"] });
    const { batches, prepare } = suite();
    await prepare(table);
    const incoming = await batches.take(table, { files: [[[1], [2]]] });
    await incoming.add(await batches.file(csv([[3]]), 2));
    await expect(incoming.seal()).rejects.toMatchObject({ code: "LOAD_ROWS_LOST", details: { sent: 4, found: 3 } });
  });

  it("finds a key that rows share, and one that is NULL, before anything is merged", async () => {
    const table = manifestTable({
      name: "bad_keys",
      columns: { shop: "text not null", id: "integer not null", value: "text" },
      primaryKey: ["shop", "id"],
    });
    const { batches, prepare } = suite();
    await prepare(table);
    const shared = await batches.take(table, {
      files: [
        [
          ["a", 1, "x"],
          ["b", 1, "x"],
        ],
        [["a", 1, "y"]],
      ],
    });
    await expect(shared.seal()).rejects.toMatchObject({
      code: "LOAD_KEY_DUPLICATE",
      details: { key: "a, 1", rows: 2 },
    });
    const empty = await batches.take(table, {
      files: [
        [
          ["a", 1, "x"],
          [null, 2, "x"],
        ],
      ],
    });
    await expect(empty.seal()).rejects.toMatchObject({ code: "LOAD_KEY_NULL", details: { key: "NULL, 2" } });
  });

  it("empties what another attempt had taken in", async () => {
    const table = manifestTable({ name: "second_attempt", columns: { id: "integer not null" }, primaryKey: ["id"] });
    const { batches, prepare } = suite();
    await prepare(table);
    await batches.take(table, { files: [[[1], [2]]] });
    const again = await batches.take(table, { files: [[[3]]] });
    expect(await again.seal()).toBe(1);
  });

  it("marks every row with the batch and its snapshot", async () => {
    const table = manifestTable({ name: "marked", columns: { id: "integer not null" }, primaryKey: ["id"] });
    const { batches, prepare } = suite();
    await prepare(table);
    await batches.publish({ table, rows: [[1]] });
    const snapshot = snapshotOf(batches.lastId).replace("T", " ").replace("Z", "+00");
    expect(await batches.rows(`select _synced_at, _batch_id from ${name(suite(), "marked")}`)).toEqual([
      [snapshot, String(batches.lastId)],
    ]);
  });
}

function name({ batches }: Suite, table: string): string {
  return batches.warehouse.relationName({ schema: "stage", name: table });
}
