/** Every stage table and model of a warehouse, value by value, without what differs by nature. */
import { openWarehouse } from "../../runtime/warehouse/open.ts";

/** `_synced_at` is the time of a snapshot, and each warehouse's batch has its own. */
const OWN = new Set(["_synced_at"]);

export type TableContents = Readonly<Record<string, readonly (readonly string[])[]>>;

/** By `schema.name`: a row is `column=value` in the columns' order; rows are sorted, since a table has no order. */
export async function allTables(
  url: string,
  schemas: readonly string[] = ["stage", "analytics"],
): Promise<TableContents> {
  await using warehouse = await openWarehouse({ url });
  const contents: Record<string, string[][]> = {};
  for (const schema of schemas) {
    for (const { name } of await warehouse.relations(schema)) {
      const { columns, rows } = await warehouse.query(`select * from ${warehouse.relationName({ schema, name })}`);
      const kept = columns
        .map((column, index) => ({ name: column.toLowerCase(), index }))
        .filter((column) => !OWN.has(column.name))
        .toSorted((left, right) => (left.name < right.name ? -1 : 1));
      const texts = rows.map((row) => kept.map(({ name: column, index }) => `${column}=${row[index] ?? "NULL"}`));
      contents[`${schema}.${name.toLowerCase()}`] = texts.toSorted((left, right) =>
        left.join() < right.join() ? -1 : 1,
      );
    }
  }
  return contents;
}
