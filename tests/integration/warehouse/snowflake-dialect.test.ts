/** Expressions of Snowflake's dialect give in DuckDB what Snowflake's documentation says that they give. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDuckDb } from "../../../runtime/warehouse/duckdb/open-duckdb.ts";
import type { Warehouse } from "../../../runtime/warehouse/warehouse.ts";

let warehouse: Warehouse;

beforeAll(async () => {
  warehouse = await openDuckDb({ file: ":memory:" });
});

afterAll(async () => {
  await warehouse[Symbol.asyncDispose]();
});

type Case = readonly [sql: string, value: string | null];

const GROUPS: Readonly<Record<string, readonly Case[]>> = {
  // https://docs.snowflake.com/en/sql-reference/functions/initcap
  "title case": [
    ["initcap('the Quick Gray Fox')", "The Quick Gray Fox"],
    ["initcap('the sky is blue')", "The Sky Is Blue"],
    ["initcap('OTHER (PROVIDER) INFORMATION')", "Other (Provider) Information"],
    ["initcap('ÄäÖößÜü')", "Ääöößüü"],
    ["initcap('são josé dos campos')", "São José Dos Campos"],
    ["initcap('o''neil d''ávila')", "O'neil D'ávila"],
    [
      "initcap('a-b_c/d.e:f;g,h&i+j*k%l|m\\\\n[o]p{q}r<s>t!u?v@w\"x^y#z$a~b')",
      'A-B_C/D.E:F;G,H&I+J*K%L|M\\N[O]P{Q}R<S>T!U?V@W"X^Y#Z$A~B',
    ],
    ["initcap('tab\\there\\nthere')", "Tab\tHere\nThere"],
    ["initcap('the sky is blue', '')", "The sky is blue"],
    ["initcap('this is the new Frame+work', '+')", "This is the new frame+Work"],
    ["initcap('iqamqinterestedqinqthisqtopic', 'q')", "IqAmqInterestedqInqThisqTopic"],
    ["initcap('')", ""],
    ["initcap(null)", null],
  ],
  // https://docs.snowflake.com/en/sql-reference/operators-arithmetic, …/functions/div0, …/functions/round
  arithmetic: [
    ["1 / 3", "0.333333"],
    ["2 / 3", "0.666667"],
    ["-1 / 3", "-0.333333"],
    ["10 / 2", "5.000000"],
    ["10.1::decimal(10,2) / 3", "3.36666667"],
    ["1::float / 3", "0.3333333333333333"],
    ["7 % 3", "1"],
    ["mod(-7, 3)", "-1"],
    ["div0(1, 0)", "0.000000"],
    ["div0(null, 0)", null],
    ["div0(1, 4)", "0.250000"],
    ["div0null(1, null)", "0.000000"],
    ["divnull(1, 1)", "1.000000"],
    ["divnull(1, 0)", null],
    ["round(135.135::decimal(6,3), 1)", "135.1"],
    ["round(2.5)", "3"],
    ["round(-2.5)", "-3"],
    ["round(1.005::decimal(10,3), 2)", "1.01"],
    ["trunc(-975.975::decimal(6,3), 1)", "-975.9"],
    ["floor(-135.135)", "-136"],
    ["ceil(135.135)", "136"],
    ["2147483648::integer", "2147483648"],
    ["1.5::integer", "2"],
    ["'12.345'::decimal(10,2)", "12.35"],
    ["10.01 * 1.1", "11.011"],
  ],
  // https://docs.snowflake.com/en/sql-reference/functions/dateadd, …/date_trunc, …/datediff, …/last_day, …/add_months
  "dates and times": [
    ["dateadd(month, 1, '2023-01-31'::date)", "2023-02-28"],
    ["dateadd(month, 1, '2000-02-29'::date)", "2000-03-29"],
    ["dateadd('year', 2, to_date('2013-05-08'))", "2015-05-08"],
    ["dateadd(hour, 2, to_date('2013-05-08'))", "2013-05-08 02:00:00.000000"],
    ["dateadd(day, 1.6, '2024-01-01'::date)", "2024-01-03"],
    ["dateadd(week, -1, '2024-01-08 10:00:00'::timestamp_ntz)", "2024-01-01 10:00:00.000000"],
    ["dateadd(quarter, 1, '2024-01-31'::date)", "2024-04-30"],
    ["dateadd(second, 3661, '2024-01-01 00:00:00+00'::timestamp_ltz)", "2024-01-01 01:01:01.000000+00"],
    ["dateadd(day, 1, '2024-01-01')", "2024-01-02 00:00:00.000000"],
    ["timestampadd(minute, 5, '2024-01-01'::timestamp_ntz)", "2024-01-01 00:05:00.000000"],
    ["dateadd(month, -2, max(d)) from (select '2024-04-30'::date as d)", "2024-02-29"],
    ["datediff(month, '2021-01-01'::date, '2021-02-28'::date)", "1"],
    ["datediff(year, '2010-04-09 14:39:20'::timestamp, '2013-05-08 23:39:20'::timestamp)", "3"],
    ["datediff(hour, '2013-05-08T23:39:20.123'::timestamp, '2015-05-08T23:39:20.123'::timestamp)", "17520"],
    ["datediff(day, '2024-11-28', '2024-12-05')", "7"],
    ["datediff(month, '2024-11-28'::date, '2024-12-05'::date)", "1"],
    ["datediff(second, '2024-01-01'::date, '2024-01-01 00:01:00+00'::timestamp_ltz)", "60"],
    ["'2024-12-05'::date - '2024-11-28'::date", "7"],
    ["date_trunc('month', '2015-05-08'::date)", "2015-05-01"],
    ["date_trunc(quarter, '2020-05-01 13:11:20'::timestamp_ntz)", "2020-04-01 00:00:00.000000"],
    ["date_trunc('hour', '2015-05-08T23:39:20.123+00'::timestamp_ltz)", "2015-05-08 23:00:00.000000+00"],
    ["date_trunc('week', '2024-05-12'::date)", "2024-05-06"],
    ["date_trunc('mm', max(d)) from (select '2024-04-30'::date as d)", "2024-04-01"],
    ["trunc('2015-05-08'::date, 'year')", "2015-01-01"],
    ["last_day('2015-05-08'::date)", "2015-05-31"],
    ["last_day('2015-05-08'::date, 'year')", "2015-12-31"],
    ["add_months('2016-02-29'::date, 1)", "2016-03-31"],
    ["year('2024-05-06'::date)", "2024"],
    ["date_part(quarter, '2024-05-06'::date)", "2"],
    ["dayofweek('2024-05-05'::date)", "0"],
    ["dayofweekiso('2024-05-05'::date)", "7"],
    ["dayname('2015-05-01'::date)", "Fri"],
    ["monthname('2015-05-01'::date)", "May"],
    ["date_part(epoch_second, '2013-05-08 23:39:20'::timestamp)", "1368056360"],
    [
      "convert_timezone('America/Los_Angeles', 'America/New_York', '2024-01-01 14:00:00'::timestamp_ntz)",
      "2024-01-01 17:00:00.000000",
    ],
    ["convert_timezone('Europe/Warsaw', 'UTC', '2024-01-01 00:00:00'::timestamp_ntz)", "2023-12-31 23:00:00.000000"],
    ["convert_timezone('America/Sao_Paulo', '2024-01-01 02:30:00+00'::timestamp_ltz)", "2023-12-31 23:30:00.000000"],
    ["convert_timezone('America/Sao_Paulo', '2018-12-01 02:30:00+00'::timestamp_ltz)::date", "2018-12-01"],
    [
      "date_trunc('month', convert_timezone('America/Sao_Paulo', '2024-01-01 02:30:00+00'::timestamp_ltz))::date",
      "2023-12-01",
    ],
    ["to_date('04/05/2024', 'DD/MM/YYYY')", "2024-05-04"],
    ["current_timestamp() >= sysdate()", "true"],
    ["current_date = current_timestamp::date", "true"],
  ],
  // https://docs.snowflake.com/en/sql-reference/functions/to_char, …/functions/cast
  "values as text": [
    ["to_varchar('2013-04-05 01:02:03'::timestamp, 'mm/dd/yyyy, hh24:mi hours')", "04/05/2013, 01:02 hours"],
    ["to_char('03-April-2024'::text)", "03-April-2024"],
    ["to_char('2024-04-03'::date, 'yyyy.mm.dd')", "2024.04.03"],
    [
      "to_varchar('2024-04-03 15:01:02.345'::timestamp_ntz, 'DD MON YYYY HH12:MI:SS.FF3 AM')",
      "03 Apr 2024 03:01:02.345 PM",
    ],
    ["'2024-01-02 03:04:05.678'::timestamp_ntz::varchar", "2024-01-02 03:04:05.678"],
    ["'2024-01-02 03:04:05.678+00'::timestamp_ltz::varchar", "2024-01-02 03:04:05.678 +0000"],
    ["'2024-01-02'::date::varchar", "2024-01-02"],
    ["to_varchar(12.50::decimal(10,2))", "12.50"],
    ["true::varchar", "true"],
    ["'abcdef'::varchar(3)", "abc"],
    ["cast('abcdef' as char(2))", "ab"],
    ["to_varchar(null)", null],
  ],
  // https://docs.snowflake.com/en/sql-reference/functions/concat, …/split_part, …/regexp_like, …/listagg, …/position
  text: [
    ["concat('a', null)", null],
    ["concat('a', 1, 'b')", "a1b"],
    ["'a' || null", null],
    ["concat_ws('-', 'a', 'b')", "a-b"],
    ["concat_ws('-', 'a', null)", null],
    ["split_part('127.0.0.1', '.', 1)", "127"],
    ["split_part('127.0.0.1', '.', -1)", "1"],
    ["split_part('|a|b|c|', '|', 1)", ""],
    ["regexp_like('San Francisco', 'san.*')", "false"],
    ["regexp_like('San Francisco', 'san.*', 'i')", "true"],
    ["regexp_like('San Francisco', 'Fran')", "false"],
    ["'San Jose' rlike 'San.*'", "true"],
    ["regexp_replace('It was the best', '[aeiou]', '')", "It ws th bst"],
    ["position('an', 'banana', 1)", "2"],
    ["charindex('na', 'banana')", "3"],
    ["ltrim('0125.10', '0')", "125.10"],
    ["trim('  a b ')", "a b"],
    ["lpad('123', 5, '0')", "00123"],
    ["left('ABCDEF', 3) || right('ABCDEF', 2)", "ABCEF"],
    ["substr('mystring', 3, 2)", "st"],
    ["substr('mystring', -2)", "ng"],
    ["replace('down', 'down', 'up')", "up"],
    ["replace('abcd', 'bc')", "ad"],
    ["length('joÃo 😀')", "6"],
    ["upper('é') || lower('Ç')", "Éç"],
    ["contains('coffee', 'ff')", "true"],
    ["startswith('coffee', 'co')", "true"],
    ["endswith('coffee', 'ee')", "true"],
    ["'ABC' ilike 'a%'", "true"],
    ["'ABC' like 'a%'", "false"],
    ["'john dean' like any ('jane%', 'john%')", "true"],
    ["md5('Snowflake')", "edf1439075a83a447fb8b630ddc9c8de"],
    ["sha2('Snowflake')", createHash("sha256").update("Snowflake").digest("hex")],
    ["listagg(x, '|') within group (order by x desc) from (values ('a'), ('b')) as v(x)", "b|a"],
    ["listagg(x) from (values ('a')) as v(x)", "a"],
    ["listagg(x, ',') from (values ('a')) as v(x) where x = 'z'", ""],
    ["$$it's $$ || 'a\\\\b'", "it's a\\b"],
  ],
  // https://docs.snowflake.com/en/sql-reference/functions-conditional
  conditions: [
    ["iff(1 > 2, 'yes', 'no')", "no"],
    ["nvl(null, 'food')", "food"],
    ["nvl2(null, 'a', 'b')", "b"],
    ["zeroifnull(null::integer)", "0"],
    ["nullifzero(0)", null],
    ["ifnull(null, 5)", "5"],
    ["equal_null(null, null)", "true"],
    ["decode(2, 1, 'one', 2, 'two', 'other')", "two"],
    ["greatest(1, null, 3)", null],
    ["greatest(1, 2, 3)", "3"],
    ["least(1, 2, 3)", "1"],
    ["coalesce(null, null, 7)", "7"],
    ["try_cast('12a' as integer)", null],
    ["try_cast('12' as number(10,2))", "12.00"],
    ["try_to_number('x')", null],
    ["to_number('12.3456')", "12"],
    ["to_decimal('12.3456', 10, 1)", "12.3"],
    ["to_boolean('yes')", "true"],
    ["booland_agg(x) from (values (true), (false)) as v(x)", "false"],
  ],
  // https://docs.snowflake.com/en/sql-reference/functions-aggregation, …/constructs/qualify, …/constructs/order-by
  "aggregates and windows": [
    ["sum(x) / count(*) from (values (1), (2)) as v(x)", "1.500000"],
    ["avg(x) from (values (1), (2), (2)) as v(x)", "1.666667"],
    ["avg(x) from (values (10.10::decimal(10,2)), (20.25)) as v(x)", "15.17500000"],
    ["avg(x) over (order by x) from (values (1), (2)) as v(x) order by 1 desc limit 1", "1.500000"],
    ["cast(avg(x) as decimal(18, 2)) from (values (10.005::decimal(10,3)), (20.01)) as v(x)", "15.01"],
    ["count_if(x > 1) from (values (1), (2), (3)) as v(x)", "2"],
    ["x from (values (3), (1), (2)) as v(x) qualify row_number() over (order by x desc) = 2", "2"],
    ["x from (values (1), (null), (2)) as v(x) order by x desc limit 1", null],
    ["x from (values (1), (null), (2)) as v(x) qualify row_number() over (order by x desc) = 1", null],
    ["min_by(x, -x) from (values (1), (2)) as v(x)", "2"],
    ["median(x) from (values (1), (2), (4)) as v(x)", "2"],
    ["array_agg(x) within group (order by x desc) from (values (1), (null), (2)) as v(x)", "[2,1]"],
    ["sum(x)::varchar from (values (1.10::decimal(4,2)), (2)) as v(x)", "3.10"],
    ["max(x) as y from (values (1), (2)) as v(x) group by all having y > 1", "2"],
    ["x from (select 1 as x minus select 2)", "1"],
  ],
  // https://docs.snowflake.com/en/user-guide/querying-semistructured, …/functions/flatten
  "semi-structured values": [
    ['parse_json(\'{"a": {"b": [10, 20]}}\'):a.b[1]::integer', "20"],
    ['parse_json(\'{"name": "x"}\'):name::varchar', "x"],
    ["parse_json('[61, \"k\"]')[0]::integer", "61"],
    ["parse_json('[61, \"k\"]')[1]::varchar", "k"],
    ["get_path(parse_json('{\"a\": 1}'), 'a')::integer", "1"],
    ["parse_json('{\"a\": 1}'):nope", null],
    [
      'f.value::varchar from (select parse_json(\'["a", "b"]\') as j) as t, lateral flatten(input => t.j) as f where f.index = 1',
      "b",
    ],
    [
      "f.value::integer from (select parse_json('{\"x\": 5}') as j) as t, lateral flatten(t.j) as f where f.key = 'x'",
      "5",
    ],
    ["sum(value::integer) from table(flatten(input => parse_json('[1, 2, 3]')))", "6"],
  ],
};

describe.each(Object.entries(GROUPS))("%s", (_group, cases) => {
  it.each(cases)("%s is %j", async (sql, value) => {
    expect((await warehouse.query(`select ${sql}`)).rows).toEqual([[value]]);
  });
});

it("divides by zero with an error", async () => {
  for (const sql of ["select 1 / 0", "select x / 0 from (values (1.5)) as v(x)"]) {
    await expect(warehouse.query(sql)).rejects.toMatchObject({
      code: "MODEL_SQL_FAILED",
      message: expect.stringContaining("Division by zero"),
    });
  }
});

it("takes names without regard to case, and quoted ones as they are", async () => {
  const { columns } = await warehouse.query('select V.X as Upper, v.x as "Mixed Case" from (values (1)) as v(x)');
  expect(columns.map((name) => name.toLowerCase())).toEqual(["upper", "mixed case"]);
  expect(columns[1]).toBe("Mixed Case");
});

it("keeps what the translation passes through", async () => {
  const sql =
    "with recursive r as (select 1 as n union all select n + 1 from r where n < 5) select * exclude (m) from (select n, n * 2 as m from r) where n > 3 order by n limit 1";
  expect((await warehouse.query(sql)).rows).toEqual([["4"]]);
});
