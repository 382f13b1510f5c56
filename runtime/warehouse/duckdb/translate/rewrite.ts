/** What of Snowflake's meaning the general translation to DuckDB loses, put right in the syntax tree before it translates. */

export type Json = null | boolean | number | string | readonly Json[] | Tree;
interface Tree {
  readonly [key: string]: Json;
}

/**
 * Rewrites a parsed Snowflake statement so that its translation means in DuckDB what it meant in Snowflake. Where a function has no equal,
 * it becomes a call of one of the macros in macros.sql, whose names all begin with `nd_`.
 */
export function rewrite(node: Json, inWindow = false): Json {
  if (isList(node)) return node.map((item) => rewrite(item));
  if (!isTree(node)) return node;
  const [kind] = Object.keys(node);
  const only = kind !== undefined && Object.keys(node).length === 1 ? kind : undefined;
  const isWindow = only === "window_function";
  const children: Record<string, Json> = {};
  for (const [key, value] of Object.entries(node)) {
    children[key] = key === "data_type" ? value : rewriteChild(value, isWindow);
  }
  if ("data_type" in children) return rewriteType(children);
  const body = only === undefined ? undefined : children[only];
  if (only === undefined || !isTree(body)) return children;
  return RULES[only]?.(body, inWindow) ?? children;
}

/** The aggregate of a window function must stay an aggregate: `coalesce(…) over (…)` is no SQL. */
function rewriteChild(value: Json, isWindow: boolean): Json {
  if (!isWindow || !isTree(value)) return rewrite(value);
  const children: Record<string, Json> = {};
  for (const [key, child] of Object.entries(value)) children[key] = rewrite(child, key === "this");
  return children;
}

type Rule = (body: Tree, inWindow: boolean) => Json | undefined;

const RULES: Readonly<Record<string, Rule>> = {
  function: rewriteFunction,
  div: ({ left, right }) => call("nd_divide", left, right),
  initcap: ({ this: text }) => call("nd_initcap", text),
  regexp_like: ({ this: text, pattern }) => call("nd_regexp_like", text, pattern),
  date_diff: ({ this: end, expression: start, unit }) =>
    typeof unit === "string" ? call("nd_datediff", text(unit.toLowerCase()), start, end) : undefined,
  avg: (body, inWindow) => (inWindow ? undefined : mean({ avg: body }, call("any_value", body["this"]))),
  window_function: (body) => {
    const average = isTree(body["this"]) ? body["this"]["avg"] : undefined;
    return isTree(average) ? mean({ window_function: body }, average["this"]) : undefined;
  },
  cast: rewriteCast,
  try_cast: (body) => (isLimitedText(body["to"]) ? cutText(body, "try_cast") : undefined),
  to_number: rewriteToNumber,
  list_agg: (body, inWindow) => {
    const separated = { list_agg: { ...body, separator: body["separator"] ?? text("") } };
    return inWindow ? separated : orEmpty(separated);
  },
  // The rule of list_agg has wrapped the aggregate inside: its order belongs in between.
  within_group: (body, inWindow) => {
    const inner = unwrapEmpty(body["this"]);
    if (inner === undefined) return undefined;
    const ordered = { within_group: { ...body, this: inner } };
    return inWindow ? ordered : orEmpty(ordered);
  },
  // Snowflake's own name for the ends of a lateral flatten: the macro returns the same columns.
  lateral: (body) => {
    const flatten = flattenInput(body["this"]);
    return flatten === undefined
      ? undefined
      : { lateral: { ...body, this: call("nd_flatten", flatten), column_aliases: [] } };
  },
};

type FunctionRule = (args: readonly Json[]) => Json | undefined;

const FUNCTIONS: Readonly<Record<string, FunctionRule>> = {
  dateadd: dateAdd,
  timeadd: dateAdd,
  timestampadd: dateAdd,
  convert_timezone: (args) => call("nd_convert_timezone", ...args),
  date_trunc: ([unit, value]) => withUnit(unit, (name) => call("nd_date_trunc", text(name), moment(value))),
  trunc: ([value, unit]) =>
    literalText(unit) === undefined
      ? undefined
      : withUnit(unit, (name) => call("nd_date_trunc", text(name), moment(value))),
  to_char: format,
  to_varchar: format,
  concat: ([first, ...rest]) =>
    first === undefined ? undefined : rest.reduce<Json>((left, right) => joinText(left, right), first),
  concat_ws: ([separator, first, ...rest]) =>
    separator === undefined || first === undefined
      ? undefined
      : rest.reduce<Json>((left, right) => joinText(joinText(left, separator), right), first),
  regexp_like: (args) => call("nd_regexp_like", ...args),
  rlike: (args) => call("nd_regexp_like", ...args),
  initcap: (args) => call("nd_initcap", ...args),
  current_timestamp: () => call("nd_now"),
  localtimestamp: () => call("nd_now"),
  getdate: () => call("nd_now"),
  systimestamp: () => call("nd_now"),
  sysdate: () => call("nd_sysdate"),
  to_timestamp_ltz: castTo("TIMESTAMPTZ"),
  to_timestamp_tz: castTo("TIMESTAMPTZ"),
  to_timestamp_ntz: castTo("TIMESTAMP"),
  sha2: ([value, bits]) => (bits === undefined || literalNumber(bits) === 256 ? call("nd_sha256", value) : undefined),
  sha2_hex: ([value, bits]) =>
    bits === undefined || literalNumber(bits) === 256 ? call("nd_sha256", value) : undefined,
  div0: ([left, right]) => call("nd_div0", left, right),
  div0null: ([left, right]) => call("nd_div0null", left, right),
  divnull: ([left, right]) => call("nd_divnull", left, right),
  table: ([inner]) => {
    const flatten = flattenInput(inner);
    return flatten === undefined ? undefined : call("nd_flatten", flatten);
  },
};

function rewriteFunction(body: Tree): Json | undefined {
  const name = body["name"];
  const args = body["args"];
  if (typeof name !== "string" || !isList(args) || body["quoted"] === true) return undefined;
  return FUNCTIONS[name.toLowerCase()]?.(args);
}

/** Units of whole days keep a DATE a DATE; https://docs.snowflake.com/en/sql-reference/functions/dateadd. */
const CALENDAR_UNITS = new Set(["year", "quarter", "month", "week", "day"]);

function dateAdd([unit, amount, value]: readonly Json[]): Json | undefined {
  return withUnit(unit, (name) =>
    call(CALENDAR_UNITS.has(name) ? "nd_add_days" : "nd_add_time", call(`nd_${name}s`, amount), moment(value)),
  );
}

/** A date written as a string is a timestamp to Snowflake's date functions. */
function moment(value: Json | undefined): Json | undefined {
  return literalText(value) === undefined ? value : cast(value, custom("TIMESTAMP"));
}

/** Snowflake's abbreviations: https://docs.snowflake.com/en/sql-reference/functions-date-time. */
const UNIT_NAMES: Readonly<Record<string, readonly string[]>> = {
  year: ["y", "yy", "yyy", "yyyy", "yr", "years", "yrs"],
  quarter: ["q", "qtr", "qtrs", "quarters"],
  month: ["mm", "mon", "mons", "months"],
  week: ["w", "wk", "weekofyear", "woy", "wy", "weeks"],
  day: ["d", "dd", "days", "dayofmonth"],
  hour: ["h", "hh", "hr", "hours", "hrs"],
  minute: ["m", "mi", "min", "minutes", "mins"],
  second: ["s", "sec", "seconds", "secs"],
  millisecond: ["ms", "msec", "milliseconds"],
  microsecond: ["us", "usec", "microseconds"],
};
const UNITS = new Map(
  Object.entries(UNIT_NAMES).flatMap(([unit, aliases]) => [unit, ...aliases].map((alias) => [alias, unit] as const)),
);

function withUnit(node: Json | undefined, then: (unit: string) => Json | undefined): Json | undefined {
  const written = literalText(node) ?? varName(node);
  const unit = written === undefined ? undefined : UNITS.get(written.toLowerCase());
  return unit === undefined ? undefined : then(unit);
}

/** Elements of a format in the order in which they are tried: https://docs.snowflake.com/en/sql-reference/date-time-input-output. */
const FORMAT_ELEMENTS: readonly (readonly [RegExp, string])[] = [
  [/^"([^"]*)"/, ""],
  [/^YYYY/i, "%Y"],
  [/^YY/i, "%y"],
  [/^MMMM/i, "%B"],
  [/^MON/i, "%b"],
  [/^MM/i, "%m"],
  [/^DD/i, "%d"],
  [/^DY/i, "%a"],
  [/^HH24/i, "%H"],
  [/^HH12/i, "%I"],
  [/^HH/i, "%H"],
  [/^(AM|PM)/i, "%p"],
  [/^MI/i, "%M"],
  [/^SS/i, "%S"],
  [/^FF3/i, "%g"],
  [/^FF6/i, "%f"],
  [/^FF9?(?![0-9])/i, "%n"],
  [/^TZH:?TZM/i, "+00:00"],
  [/^TZHTZM/i, "+0000"],
  [/^TZH/i, "+00"],
  [/^TZM/i, "00"],
];

/** A Snowflake date format as one for strftime. Sessions are in UTC, so the offset is a constant. */
export function strftimeFormat(format: string): string {
  let rest = format;
  let result = "";
  while (rest !== "") {
    const element = FORMAT_ELEMENTS.find(([pattern]) => pattern.test(rest));
    const matched = element?.[0].exec(rest);
    if (element && matched) {
      const written = matched[0];
      if (written.startsWith('"')) result += (matched[1] ?? "").replaceAll("%", "%%");
      else if (/^TZHTZM$/i.test(written)) result += "+0000";
      else result += element[1];
      rest = rest.slice(written.length);
    } else {
      result += rest[0] === "%" ? "%%" : (rest[0] ?? "");
      rest = rest.slice(1);
    }
  }
  return result;
}

function format([value, pattern]: readonly Json[]): Json | undefined {
  if (value === undefined) return undefined;
  if (pattern === undefined) return call("nd_text", value);
  const written = literalText(pattern);
  return written === undefined ? undefined : call("nd_format", value, text(strftimeFormat(written)));
}

function rewriteCast(body: Tree): Json | undefined {
  if (isLimitedText(body["to"])) return cutText(body, "cast");
  return isText(body["to"]) && body["this"] !== undefined ? call("nd_text", body["this"]) : undefined;
}

/** A cast to VARCHAR(n) cuts: https://docs.snowflake.com/en/sql-reference/functions/cast. */
function cutText(body: Tree, kind: "cast" | "try_cast"): Json {
  const to = body["to"];
  const length = isTree(to) ? to["length"] : null;
  const whole =
    kind === "cast"
      ? call("nd_text", body["this"])
      : { [kind]: { ...body, to: { data_type: "var_char", length: null } } };
  return call("left", whole, number(typeof length === "number" ? length : 1));
}

const TEXT_TYPES = new Set(["var_char", "char", "text", "string"]);

function isText(type: Json | undefined): type is Tree {
  const name = isTree(type) ? type["data_type"] : undefined;
  return typeof name === "string" && TEXT_TYPES.has(name);
}

function isLimitedText(type: Json | undefined): boolean {
  return isText(type) && (typeof type["length"] === "number" || type["data_type"] === "char");
}

/** TO_NUMBER(x [, precision, scale]); with a format it is left to fail, as DuckDB has no such formats. */
function rewriteToNumber(body: Tree): Json | undefined {
  if ((body["format"] ?? null) !== null) return undefined;
  const value = body["this"];
  const precision = literalNumber(body["precision"]) ?? 38;
  const scale = literalNumber(body["scale"]) ?? 0;
  const type = rewriteType({ data_type: "decimal", precision, scale });
  return (body["safe"] ?? null) === null ? cast(value, type) : tryCast(value, type);
}

const BIGINT: Tree = { data_type: "big_int", length: null };
const INTEGERS = new Set(["int", "small_int", "tiny_int", "big_int", "byte_int"]);

/** Stage columns of type NUMBER(38,0) are BIGINT (see duckdb-type.ts), so what a model casts to is too. */
function rewriteType(type: Tree): Json {
  const name = type["data_type"];
  if (typeof name !== "string") return type;
  if (INTEGERS.has(name)) return BIGINT;
  if (name === "float" || name === "real") return { data_type: "double", precision: null, scale: null };
  if (name === "decimal") {
    const precision = type["precision"] ?? 38;
    const scale = type["scale"] ?? 0;
    return precision === 38 && scale === 0 ? BIGINT : { ...type, precision, scale };
  }
  if (name === "timestamp") return { ...type, precision: null };
  if (name === "time") return { ...type, precision: null };
  if (name === "custom" && typeof type["name"] === "string") return customType(type["name"]);
  return type;
}

function customType(written: string): Json {
  const match = /^([A-Z_]+)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?$/i.exec(written);
  const name = match?.[1]?.toUpperCase();
  switch (name) {
    case "NUMBER":
    case "NUMERIC":
    case "DEC":
      return rewriteType({
        data_type: "decimal",
        precision: match?.[2] === undefined ? 38 : Number(match[2]),
        scale: match?.[3] === undefined ? 0 : Number(match[3]),
      });
    case "TIMESTAMPNTZ":
    case "TIMESTAMP_NTZ":
    case "DATETIME":
      return custom("TIMESTAMP");
    case "TIMESTAMPLTZ":
    case "TIMESTAMP_LTZ":
    case "TIMESTAMPTZ":
    case "TIMESTAMP_TZ":
      return custom("TIMESTAMPTZ");
    case "BYTEINT":
    case "INTEGER":
      return BIGINT;
    case "VARIANT":
    case "OBJECT":
      return custom("JSON");
    case undefined:
    default:
      return custom(written);
  }
}

function castTo(type: string): FunctionRule {
  return ([value, pattern]) => (pattern === undefined ? cast(value, custom(type)) : undefined);
}

/** The argument of FLATTEN(x) or FLATTEN(INPUT => x); undefined if it is another function, or has PATH, OUTER, RECURSIVE or MODE. */
function flattenInput(node: Json | undefined): Json | undefined {
  const body = isTree(node) ? node["function"] : undefined;
  if (!isTree(body) || typeof body["name"] !== "string" || body["name"].toLowerCase() !== "flatten") return undefined;
  const args = body["args"];
  if (!isList(args) || args.length !== 1) return undefined;
  const [only] = args;
  const named = isTree(only) ? only["named_argument"] : undefined;
  return isTree(named) ? named["value"] : only;
}

// Constructors; the parser's own trees always carry the fields that are set to their empty values here.

function call(name: string, ...args: readonly (Json | undefined)[]): Json {
  return {
    function: {
      name,
      args: args.filter((arg) => arg !== undefined),
      distinct: false,
      trailing_comments: [],
      use_bracket_syntax: false,
      no_parens: false,
      quoted: false,
    },
  };
}

function text(value: string): Json {
  return { literal: { literal_type: "string", value } };
}

function number(value: number): Json {
  return { literal: { literal_type: "number", value: String(value) } };
}

function custom(name: string): Tree {
  return { data_type: "custom", name };
}

function cast(value: Json | undefined, to: Json): Json {
  return { cast: { this: value ?? null, to, trailing_comments: [], double_colon_syntax: false } };
}

function tryCast(value: Json | undefined, to: Json): Json {
  return { try_cast: { this: value ?? null, to, trailing_comments: [], double_colon_syntax: false } };
}

function mean(average: Json, value: Json | undefined): Json {
  return call("nd_mean", average, value);
}

function joinText(left: Json, right: Json): Json {
  return { concat: { left, right, left_comments: [], operator_comments: [], trailing_comments: [] } };
}

/** LISTAGG of no rows is '' in Snowflake: https://docs.snowflake.com/en/sql-reference/functions/listagg. */
function orEmpty(aggregate: Json): Json {
  return { coalesce: { expressions: [aggregate, text("")] } };
}

function unwrapEmpty(node: Json | undefined): Json | undefined {
  if (isTree(node) && "list_agg" in node) return node;
  const coalesce = isTree(node) ? node["coalesce"] : undefined;
  const expressions = isTree(coalesce) ? coalesce["expressions"] : undefined;
  const first = isList(expressions) ? expressions[0] : undefined;
  return isTree(first) && "list_agg" in first ? first : undefined;
}

function literalText(node: Json | undefined): string | undefined {
  const literal = isTree(node) ? node["literal"] : undefined;
  return isTree(literal) && literal["literal_type"] === "string" && typeof literal["value"] === "string"
    ? literal["value"]
    : undefined;
}

function literalNumber(node: Json | undefined): number | undefined {
  const literal = isTree(node) ? node["literal"] : undefined;
  return isTree(literal) && literal["literal_type"] === "number" ? Number(literal["value"]) : undefined;
}

function varName(node: Json | undefined): string | undefined {
  const body = isTree(node) ? (node["var"] ?? node["column"]) : undefined;
  if (!isTree(body)) return undefined;
  const name = isTree(body["name"]) ? body["name"]["name"] : body["this"];
  return typeof name === "string" ? name : undefined;
}

function isTree(value: Json | undefined): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}
