/** Values of the same columns on both sides of a load, each in the one form of its type. */
import type { Project } from "./project.ts";
import type { TypeSample } from "./every-type.ts";

export type Row = Readonly<Record<string, string | null>>;

function inOneForm(samples: readonly TypeSample[], row: Row): Row {
  const forms = new Map(samples.map(({ column, form }) => [column, form]));
  return Object.fromEntries(
    Object.entries(row).map(([column, text]) => [column, text === null ? null : (forms.get(column)?.(text) ?? text)]),
  );
}

/** What the source holds, in the forms that the extract pins. The table has a column `id`. */
export async function sourceRows(
  { database }: Project,
  table: string,
  samples: readonly TypeSample[],
): Promise<readonly Row[]> {
  const columns = samples.map(({ column, text = `"${column}"::text` }) => `${text} AS "${column}"`);
  const client = await database.pool.connect();
  try {
    await client.query("SET IntervalStyle = iso_8601; SET TimeZone = UTC; SET search_path = pg_catalog");
    const { rows } = await client.query<Row>(`SELECT ${columns.join(", ")} FROM public.${table} ORDER BY id`);
    return rows.map((row) => inOneForm(samples, row));
  } finally {
    await client.query("RESET ALL");
    client.release();
  }
}

/** What the warehouse holds. */
export async function stageRows(
  project: Project,
  table: string,
  samples: readonly TypeSample[],
): Promise<readonly Row[]> {
  const columns = samples.map(({ column, read = `"${column.toUpperCase()}"` }) => read);
  const rows = await project.ask(`SELECT ${columns.join(", ")} FROM stage.${table} ORDER BY id`);
  const names = samples.map(({ column }) => column);
  return rows.map((row) =>
    inOneForm(samples, Object.fromEntries(names.map((column, index) => [column, row[index] ?? null]))),
  );
}
