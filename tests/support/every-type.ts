/** Every type that a column of PostgreSQL can have, with values at its edges, and how each is read back from the warehouse. */
import { canonicalJson } from "../../runtime/warehouse/canonical-json.ts";
import { numberText } from "../../runtime/warehouse/canonical-text.ts";

export interface TypeSample {
  readonly column: string;
  /** PostgreSQL's type. */
  readonly source: string;
  /** `data_type` of the manifest. */
  readonly dataType: string;
  /** SQL of PostgreSQL; NULL comes on top. */
  readonly values: readonly string[];
  /** SQL of the text that the value has in the warehouse; the column's own text if absent. */
  readonly text?: string | undefined;
  /** From that text, or from another text of the same value, to one form. */
  readonly form?: ((text: string) => string) | undefined;
  /** SQL of Snowflake that reads it, if it is not the column itself. */
  readonly read?: string | undefined;
}

const quoted = (...values: readonly string[]): readonly string[] => values.map((value) => `'${value}'`);
const float = (text: string): string => numberText(Number(text));
/** Numbers are equal whatever their digits: 2.50 and 2.5, 1e-10 and 0.0000000001. Whole ones of any length keep all their digits. */
const json = (text: string): string =>
  JSON.stringify(
    JSON.parse(canonicalJson(text), (_key, value: unknown, context?: { source?: string }) =>
      typeof value === "number" && /^-?\d+$/.test(context?.source ?? "") ? JSON.rawJSON(context?.source ?? "") : value,
    ),
  );
/** What PostgreSQL's output function writes, which a cast to text is not for every type. */
const written = (column: string): string =>
  `CASE WHEN ${column} IS DISTINCT FROM NULL THEN format('%s', ${column}) END`;
const instant = (column: string): string => `to_char(${column}, 'YYYY-MM-DD HH24:MI:SS.US')`;
const utc = (column: string): string => `${instant(`${column} AT TIME ZONE 'UTC'`)} || '+00'`;

const DAYS = quoted("0001-01-01", "1582-10-04", "1582-10-10", "1582-10-15", "1969-12-31", "2024-02-29", "9999-12-31");
const INSTANTS = quoted(
  "0001-01-01 00:00:00",
  "1582-10-10 12:00:00",
  "1900-01-01 00:00:00.000001",
  "1969-12-31 23:59:59.999999",
  "2024-03-10 02:30:00.5",
  "2038-01-19 03:14:08",
  "9999-12-31 23:59:59.999999",
);
const UTC_INSTANTS = INSTANTS.map((value) => value.replace(/'$/, "+00'"));
/** 0 comes long after -0: DuckDB, behind the test server, does not write a value over one that it takes as equal. */
const FLOATS = quoted("-0", "NaN", "Infinity", "-Infinity", "0", "0.1", "1e16", "123456789.12345679", "1.1e-7");
const DOCUMENTS = [
  ...quoted(
    '{"b": [1, 2.50, null], "a": {"x": "é\\n\\u00e9\\ud83d\\ude00"}}',
    "null",
    "[]",
    '""',
    "true",
    '{"big": 12345678901234567890123456789012345678, "small": 0.0000000001, "sci": 1.5e10, "tiny": [1e-50, 2.5e-300]}',
    '{"a": {"x": 1}, "b": {"x": 1}, "x": "a:b", ":": "\\\\u0000 \\\\ud83d"}',
    '["1e5", "12345678901234567890123456789012345678901234567890", "\\"9e9"]',
  ),
];

export const SAMPLES: readonly TypeSample[] = [
  { column: "int2", source: "int2", dataType: "integer", values: ["-32768", "32767", "0"] },
  { column: "int4", source: "int4", dataType: "integer", values: ["-2147483648", "2147483647"] },
  {
    column: "int8",
    source: "int8",
    dataType: "integer",
    values: ["-9223372036854775808", "9223372036854775807", "9007199254740993"],
  },
  { column: "oid", source: "oid", dataType: "integer", values: quoted("4294967295") },
  {
    column: "price",
    source: "numeric(10,2)",
    dataType: "decimal(10,2)",
    values: ["99999999.99", "-99999999.99", "0.01", "-0.01", "1.10"],
  },
  {
    column: "digits",
    source: "numeric(38,10)",
    dataType: "decimal(38,10)",
    values: [`${"9".repeat(28)}.${"9".repeat(10)}`, `-${"9".repeat(28)}.${"9".repeat(10)}`, "0.0000000001", "0.1"],
  },
  { column: "rounded", source: "numeric(3,-2)", dataType: "decimal(5,0)", values: ["99900", "-100"] },
  {
    column: "free",
    source: "numeric",
    dataType: "text",
    values: [`${"123456789".repeat(9)}.${"0".repeat(40)}1`, "1.10", ...quoted("NaN", "Infinity", "-Infinity")],
  },
  {
    column: "money",
    source: "money",
    dataType: "decimal(19,2)",
    values: quoted("-1.10", "92233720368547758.07"),
    text: "money::numeric::text",
  },
  {
    column: "float4",
    source: "float4",
    dataType: "float",
    values: [...FLOATS, "3.4028235e38", "1.4e-45"],
    form: float,
  },
  {
    column: "float8",
    source: "float8",
    dataType: "float",
    values: [...FLOATS, "5e-324", "1.7976931348623157e308", "-1.7976931348623157e308", "2.2250738585072014e-308"],
    form: float,
  },
  { column: "flag", source: "boolean", dataType: "boolean", values: ["true", "false"] },
  { column: "code", source: "char(2)", dataType: "char(2)", values: quoted("SP", " a", "a ", "é😀", "", "\\N") },
  {
    column: "name",
    source: "varchar(255)",
    dataType: "varchar(255)",
    values: ["repeat('é', 255)", "repeat('😀', 255)", ...quoted("", " x ", "NULL", "\\N", "null", "''")],
  },
  {
    column: "note",
    source: "text",
    dataType: "text",
    values: [
      ...quoted(
        "",
        "\\N",
        "NULL",
        '"',
        '""',
        '","',
        "\t tab ",
        "a\\",
        "\\.",
        "\\\\",
        "\\n",
        " ",
        "'' ''",
        "São Paulo 😀 漢字",
      ),
      String.raw`E'line\nbreak\r\nand return\rend\n'`,
      String.raw`E'\n'`,
      String.raw`E'\r'`,
      String.raw`E'\x01\x1f\x7f\t\x0b'`,
      String.raw`E'e\u0301 \u00a0\u2028\ufeff\U0010ffff\u0085'`,
      String.raw`repeat(E'é"\\\n', 200000)`,
      "repeat('x', 1048576)",
    ],
  },
  {
    column: "marked",
    source: "text",
    dataType: "text",
    values: [String.raw`E'\ufeffbyte order mark'`, String.raw`E'\ufeff'`],
    text: "md5(marked)",
    // DuckDB's client takes the mark away when it hands the text over.
    read: "MD5(marked)",
  },
  { column: "day", source: "date", dataType: "date", values: DAYS },
  { column: "at", source: "timestamp", dataType: "timestamp_ntz", values: INSTANTS, text: instant("at") },
  {
    column: "zoned",
    source: "timestamptz",
    dataType: "timestamp_ltz",
    values: [...UTC_INSTANTS, ...quoted("1914-01-01 00:00:00-03:06:28", "2024-06-30 23:59:59.999999+14")],
    text: utc("zoned"),
  },
  {
    column: "clock",
    source: "time",
    dataType: "time",
    values: quoted("00:00", "23:59:59.999999", "12:00:00.000001", "07:05"),
    text: "to_char(clock, 'HH24:MI:SS.US')",
  },
  { column: "uuid", source: "uuid", dataType: "varchar(36)", values: quoted("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11") },
  {
    column: "json",
    source: "json",
    dataType: "variant",
    values: [...DOCUMENTS, ...quoted('  { "a" : 1 }  ')],
    form: json,
  },
  { column: "jsonb", source: "jsonb", dataType: "variant", values: DOCUMENTS, form: json },
  {
    column: "bytes",
    source: "bytea",
    dataType: "binary",
    values: ["''", String.raw`'\x00'`, String.raw`'\x5c4e0a0d2200ff'`, "decode(repeat('00ff', 50000), 'hex')"],
    text: "encode(bytes, 'hex')",
  },
  {
    column: "numbers",
    source: "int[]",
    dataType: "text",
    values: quoted("{}", "{1,NULL,3}", "{{1,2},{3,4}}", "[0:1]={7,8}", "[-1:0][2:3]={{1,2},{3,4}}"),
  },
  {
    column: "texts",
    source: "text[]",
    dataType: "text",
    values: quoted("{}", '{"a,b",NULL,"NULL","","q\\"\\\\"}', '{"a\nb","{}"," "}'),
  },
  { column: "decimals", source: "numeric(10,2)[]", dataType: "text", values: quoted("{1.10,NaN,NULL}") },
  {
    column: "moments",
    source: "timestamptz[]",
    dataType: "text",
    values: quoted("{2024-03-10 02:30:00.5-03,infinity,0044-03-15 00:00:00+00 BC}"),
  },
  { column: "reals", source: "float8[]", dataType: "text", values: quoted("{0.1,-0,NaN,5e-324,Infinity}") },
  { column: "blobs", source: "bytea[]", dataType: "text", values: [String.raw`ARRAY['\x00ff'::bytea, NULL]`] },
  { column: "mood", source: "mood", dataType: "text", values: quoted("sad", "so, so", "") },
  { column: "moods", source: "mood[]", dataType: "text", values: quoted('{sad,"so, so",""}', "{}") },
  { column: "feeling", source: "feeling", dataType: "text", values: quoted("sad", "") },
  { column: "span", source: "interval", dataType: "text", values: quoted("1 year -2 days 00:00:00.000001", "0") },
  {
    column: "years",
    source: "interval year to month",
    dataType: "text",
    values: quoted("178000000 years", "-1 month"),
  },
  { column: "range", source: "int4range", dataType: "text", values: quoted("[1,5)", "empty", "(,)") },
  { column: "amounts", source: "numrange", dataType: "text", values: quoted("[1.10,NaN]", "(,1e40)") },
  { column: "period", source: "tstzrange", dataType: "text", values: quoted("[2024-01-01 00:00-03,infinity)") },
  {
    column: "days",
    source: "daterange",
    dataType: "text",
    values: quoted("[2024-02-29,2024-03-01]", "[0044-03-15 BC,)"),
  },
  { column: "holes", source: "int8multirange", dataType: "text", values: quoted("{}", "{[1,3),[7,9)}") },
  {
    column: "address",
    source: "inet",
    dataType: "text",
    values: quoted("10.0.0.1/8", "10.0.0.1", "::1", "::ffff:10.0.0.1/96"),
    // The cast to text adds the mask of a single address, which no output of PostgreSQL does.
    text: written("address"),
  },
  { column: "addresses", source: "inet[]", dataType: "text", values: quoted("{10.0.0.1,10.0.0.1/8}") },
  { column: "network", source: "cidr", dataType: "text", values: quoted("10.0.0.0/8", "::1/128") },
  { column: "mac", source: "macaddr", dataType: "text", values: quoted("08-00-2B-01-02-03") },
  { column: "mac8", source: "macaddr8", dataType: "text", values: quoted("08:00:2b:01:02:03:04:05") },
  { column: "bits", source: "bit(5)", dataType: "text", values: ["B'01010'"] },
  { column: "flags", source: "varbit", dataType: "text", values: ["B''", "repeat('10', 100)::varbit"] },
  { column: "zoned_clock", source: "timetz", dataType: "text", values: quoted("23:59:59.999999-03", "24:00:00+00") },
  { column: "letter", source: '"char"', dataType: "text", values: quoted("a", ""), text: "letter::text" },
  { column: "label", source: "name", dataType: "text", values: [`repeat('é', 31)`, "''"] },
  { column: "point", source: "point", dataType: "text", values: quoted("(1.5,-0)", "(NaN,Infinity)") },
  { column: "segment", source: "lseg", dataType: "text", values: quoted("[(0,0),(1e300,0.1)]") },
  { column: "box", source: "box", dataType: "text", values: quoted("(2,2),(0,0)") },
  { column: "line", source: "line", dataType: "text", values: quoted("{1,-1,0}") },
  { column: "path", source: "path", dataType: "text", values: quoted("[(0,0),(1,1)]", "((0,0),(1,1))") },
  { column: "polygon", source: "polygon", dataType: "text", values: quoted("((0,0),(0,1),(1,1))") },
  { column: "circle", source: "circle", dataType: "text", values: quoted("<(1,2),3>") },
  {
    column: "words",
    source: "tsvector",
    dataType: "text",
    values: ["to_tsvector('simple', 'o cão''s \\ \"x\" o')", "''"],
  },
  { column: "search", source: "tsquery", dataType: "text", values: quoted("fat & (rat | !cat:A*)") },
  { column: "steps", source: "jsonpath", dataType: "text", values: quoted("$.a[*] ? (@ > 1.50)") },
  {
    column: "pair",
    source: "pair",
    dataType: "text",
    values: [`ROW(1, E'a",\\nb')::pair`, "ROW(NULL, '')::pair", "ROW(NULL, NULL)::pair"],
  },
  { column: "pairs", source: "pair[]", dataType: "text", values: [`ARRAY[ROW(1, E'a",\\nb')::pair, NULL]`] },
  { column: "couple", source: "couple", dataType: "text", values: ["ROW(1, 'x')::pair::couple"] },
  { column: "amount", source: "amount", dataType: "decimal(10,2)", values: ["1.10"] },
  { column: "email", source: "email", dataType: "varchar(100)", values: quoted("a@b.example") },
  { column: "work_email", source: "work_email", dataType: "varchar(100)", values: quoted("a@b.example") },
  { column: "emails", source: "emails", dataType: "text", values: quoted("{a@b.example,NULL}") },
  { column: "birthday", source: "birthday", dataType: "date", values: quoted("2000-02-29") },
  { column: "kind", source: "regclass", dataType: "text", values: quoted("pg_class", "mood_table", "4294967295") },
  { column: "kinds", source: "regtype", dataType: "text", values: quoted("integer", "mood") },
  { column: "transaction", source: "xid8", dataType: "text", values: quoted("18446744073709551615") },
  { column: "position", source: "pg_lsn", dataType: "text", values: quoted("FFFFFFFF/FFFFFFFF", "0/0") },
  { column: "shown", source: "pg_snapshot", dataType: "text", values: quoted("10:20:10,14,15") },
  { column: "place", source: "tid", dataType: "text", values: quoted("(0,1)") },
  { column: "attributes", source: "hstore", dataType: "text", values: quoted('a=>1, "b c"=>NULL, "q\\""=>""', "") },
  { column: "caseless", source: "citext", dataType: "text", values: quoted("São", "") },
  { column: "tree", source: "ltree", dataType: "text", values: quoted("Top.Science", "") },
  { column: "cube", source: "cube", dataType: "text", values: quoted("(0,1),(2,3.5)") },
  { column: "isbn", source: "isbn", dataType: "text", values: quoted("978-0-393-04002-9") },
  { column: "shouted", source: "shouted", dataType: "text", values: quoted("ab"), text: written("shouted") },
  { column: "document", source: "xml", dataType: "text", values: quoted('<a b="1">é &lt; 😀</a>', "x <b/> y") },
];

/** The same under other names that the manifest may choose for them. */
export const CHOSEN: readonly TypeSample[] = [
  {
    column: "as_decimal",
    source: "int4",
    dataType: "decimal(12,2)",
    values: ["2147483647", "-1"],
    text: "as_decimal::numeric(12,2)::text",
  },
  { column: "as_digits", source: "int8", dataType: "number(19,0)", values: ["-9223372036854775808", "1"] },
  { column: "as_float", source: "int4", dataType: "double", values: ["2147483647", "0"], form: float },
  {
    column: "wider",
    source: "numeric(10,2)",
    dataType: "number(38,10)",
    values: ["99999999.99"],
    text: "wider::numeric(38,10)::text",
  },
  {
    column: "fraction",
    source: "numeric(38,37)",
    dataType: "number(38,37)",
    values: [`9.${"9".repeat(37)}`, `0.${"0".repeat(36)}1`],
  },
  {
    column: "bounded",
    source: "numeric",
    dataType: "number(20,5)",
    values: ["123456789012345.12345", "1.1"],
    text: "round(bounded, 5)::text",
  },
  {
    column: "whole",
    source: "numeric",
    dataType: "integer",
    values: ["9223372036854775807", "1.000"],
    text: "round(whole)::text",
  },
  { column: "short", source: "text", dataType: "varchar(20)", values: ["repeat('😀', 20)", "''"] },
  {
    column: "with_zone",
    source: "timestamptz",
    dataType: "timestamp_tz",
    values: UTC_INSTANTS,
    text: utc("with_zone"),
  },
  {
    column: "millis",
    source: "timestamptz(3)",
    dataType: "timestamp_ltz(3)",
    values: UTC_INSTANTS.slice(1, 6),
    text: utc("millis"),
  },
  { column: "micros", source: "timestamp", dataType: "timestamp_ntz(6)", values: INSTANTS, text: instant("micros") },
  {
    column: "seconds",
    source: "time(0)",
    dataType: "time(0)",
    values: quoted("23:59:59"),
    text: "to_char(seconds, 'HH24:MI:SS.US')",
  },
  {
    column: "few_bytes",
    source: "bytea",
    dataType: "binary(4)",
    values: [String.raw`'\xdeadbeef'`, "''"],
    text: "encode(few_bytes, 'hex')",
  },
  { column: "flag_text", source: "boolean", dataType: "text", values: ["true", "false"], text: "flag_text::text" },
  { column: "int_text", source: "int8", dataType: "varchar(20)", values: ["-9223372036854775808"] },
  { column: "float_text", source: "float8", dataType: "text", values: [...FLOATS, "5e-324"] },
  {
    column: "day_text",
    source: "date",
    dataType: "text",
    values: [...DAYS, ...quoted("infinity", "0044-03-15 BC", "5874897-12-31")],
  },
  {
    column: "zoned_text",
    source: "timestamptz",
    dataType: "text",
    values: [...UTC_INSTANTS, ...quoted("-infinity", "0044-03-15 00:00:00+00 BC")],
  },
  { column: "clock_text", source: "time", dataType: "text", values: quoted("24:00:00", "12:30") },
  {
    column: "json_text",
    source: "json",
    dataType: "text",
    values: [...DOCUMENTS, ...quoted('{"a": 1, "a": 2}', "1e400")],
  },
  { column: "uuid_text", source: "uuid", dataType: "text", values: quoted("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11") },
];

export const TYPES = `
  CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION ltree; CREATE EXTENSION cube; CREATE EXTENSION isn;
  CREATE TYPE mood AS ENUM ('sad', 'so, so', '');
  CREATE TYPE shouted AS ENUM ('ab');
  CREATE FUNCTION shout(shouted) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper(format(''%s'', $1))';
  CREATE CAST (shouted AS text) WITH FUNCTION shout(shouted);
  CREATE TYPE pair AS (number int, note text);
  CREATE TABLE "mood_table" (mood mood);
  CREATE DOMAIN feeling AS mood;
  CREATE DOMAIN couple AS pair;
  CREATE DOMAIN amount AS numeric(10,2);
  CREATE DOMAIN email AS varchar(100);
  CREATE DOMAIN work_email AS email CHECK (VALUE LIKE '%@%');
  CREATE DOMAIN emails AS email[];
  CREATE DOMAIN birthday AS date`;

export const columnsSql = (samples: readonly TypeSample[]): string =>
  samples.map(({ column, source }) => `"${column}" ${source}`).join(", ");

export const columnsYaml = (samples: readonly TypeSample[]): string =>
  samples.map(({ column, dataType }) => `    - {name: ${column}, data_type: "${dataType}"}\n`).join("");

/** So many that every value of every column stands in one, and NULL. */
export const rowCount = (samples: readonly TypeSample[]): number =>
  1 + Math.max(...samples.map(({ values }) => values.length));

/** Values of the row, in the columns' order; with another `turn`, each column has another value. */
export const rowSql = (samples: readonly TypeSample[], row: number, turn: number): string =>
  samples
    .map(({ values, source }) => `CAST(${[...values, "NULL"][(row + turn) % (values.length + 1)]} AS ${source})`)
    .join(", ");
