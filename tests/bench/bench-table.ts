/** The bench's own tables: of each column its type on both sides, and its value in row `i`. */

export interface BenchColumn {
  readonly name: string;
  /** PostgreSQL's type. */
  readonly source: string;
  /** `data_type` of the manifest. */
  readonly dataType: string;
  readonly required?: true | undefined;
  /** SQL of PostgreSQL, of the row's number `i` and the time `t` that it was made at. */
  readonly value: string;
}

export interface BenchTable {
  readonly name: string;
  /** The first column is the primary key, and holds `i`. */
  readonly columns: readonly BenchColumn[];
  /** Which has an index. */
  readonly cursor: string;
}

export const keyOf = ({ columns: [key] }: BenchTable): string => key?.name ?? "";

const number = (name: string, value: string): BenchColumn => ({
  name,
  source: "int",
  dataType: "integer",
  required: true,
  value,
});
const instant = (name: string): BenchColumn => ({
  name,
  source: "timestamptz",
  dataType: "timestamp_ltz",
  value: "t",
});

/** Nine columns, in the shape that the dealership has its sales in. */
export const SALES: BenchTable = {
  name: "vendas",
  cursor: "data_atualizacao",
  columns: [
    number("id_vendas", "i"),
    number("id_veiculos", "1 + i % 10"),
    number("id_concessionarias", "1 + i % 27"),
    number("id_vendedores", "1 + i % 135"),
    number("id_clientes", "60000 + i % 40000"),
    {
      name: "valor_pago",
      source: "numeric(10,2)",
      dataType: "decimal(10,2)",
      required: true,
      value: "(250000 + (i::bigint * 7919) % 35000000 / 100.0)::numeric(10,2)",
    },
    instant("data_venda"),
    instant("data_inclusao"),
    instant("data_atualizacao"),
  ],
};

/** The same, under another name. */
export const MORE_SALES: BenchTable = { ...SALES, name: "vendas_big" };

/** Each five times, with a value that differs from one time to the next (`n`); some are NULL. */
const KINDS: readonly ((n: number) => Omit<BenchColumn, "name">)[] = [
  (n) => ({ source: "int", dataType: "integer", value: `(i * ${n + 3}) % 1000003` }),
  (n) => ({ source: "bigint", dataType: "integer", value: `i::bigint * 1000003 * ${n + 1}` }),
  (n) => ({
    source: "numeric(18,4)",
    dataType: "decimal(18,4)",
    value: `(i * ${n + 1}.0001)::numeric(18,4)`,
  }),
  (n) => ({ source: "float8", dataType: "float", value: `i / (${n} + 7.0)` }),
  (n) => ({ source: "boolean", dataType: "boolean", value: `i % ${n + 2} = 0` }),
  (n) => ({ source: "date", dataType: "date", value: `(t + interval '${n} days')::date` }),
  (n) => ({ source: "varchar(100)", dataType: "varchar(100)", value: `'Cidade São João ' || i % ${100 + n}` }),
  (n) => ({
    source: "text",
    dataType: "text",
    value: `md5((i + ${n})::text) || ' "' || md5(i::text) || '", nº ' || i`,
  }),
  (n) => ({ source: "uuid", dataType: "varchar(36)", value: `md5((i * ${n + 2})::text)::uuid` }),
  (n) => ({
    source: "timestamptz",
    dataType: "timestamp_ltz",
    value: `CASE WHEN i % ${n + 5} > 0 THEN t + interval '${n} hours' END`,
  }),
];

/** Fifty columns of ten types: numbers, texts with quotes and accents, times, some of them NULL. */
export const WIDE: BenchTable = {
  name: "wide",
  cursor: "c49",
  columns: Array.from({ length: 50 }, (_, index) =>
    index === 0
      ? number("id", "i")
      : { name: `c${index}`, ...(KINDS[index % KINDS.length]?.(Math.floor(index / KINDS.length)) ?? number("", "i")) },
  ),
};

/** `small_001` and so on. */
export function smallTables(count: number): readonly BenchTable[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `small_${String(index + 1).padStart(3, "0")}`,
    cursor: "changed_at",
    columns: [
      number("id", "i"),
      { name: "name", source: "varchar(100)", dataType: "varchar(100)", required: true, value: "'Nome ' || i" },
      { name: "amount", source: "numeric(10,2)", dataType: "decimal(10,2)", value: "(i * 7.01)::numeric(10,2)" },
      instant("changed_at"),
    ],
  }));
}
