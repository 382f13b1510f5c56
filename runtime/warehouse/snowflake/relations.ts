/** Tables and views of a schema, from SHOW; which of them are unfinished, from the runtime's own table. */
import { z } from "zod";
import { NovaError } from "../../core/errors.ts";
import { exactType, MAX_BINARY, MAX_VARCHAR, type WarehouseType } from "../../manifest/warehouse-type.ts";
import type { RelationInfo } from "../warehouse.ts";
import { named } from "./rows.ts";
import { isMissing } from "./missing.ts";
import { showColumns, showRelations } from "./sql/catalogue.ts";
import { unfinishedModels } from "./sql/pipeline.ts";
import type { SnowflakeSession } from "./statement.ts";

/** In order of their names, which are given back as models write them: in lower case where no quotes are needed. */
export async function relationsOf(session: SnowflakeSession, schema: string): Promise<readonly RelationInfo[]> {
  try {
    const relations = complete(named(await session.run(showRelations(schema)), "name", "kind"), schema);
    if (relations.length === 0) return [];
    const shown = named(await session.run(showColumns(schema)), "table_name", "column_name", "data_type");
    const columns = complete(shown, schema);
    const unfinished = await unfinishedNames(session);
    return relations
      .map(({ name, kind }) => ({
        ...(unfinished.has(name ?? "") ? { unfinished: true as const } : {}),
        schema,
        name: plain(name ?? ""),
        kind: (kind ?? "").toLowerCase().includes("view") ? ("view" as const) : ("table" as const),
        columns: columns
          .filter((column) => column.table_name === name)
          .map((column) => ({ name: plain(column.column_name ?? ""), type: typeText(column.data_type ?? "") })),
      }))
      .toSorted((left, right) => (left.name < right.name ? -1 : 1));
  } catch (thrown) {
    if (isMissing(thrown)) return [];
    throw thrown;
  }
}

/** SHOW gives so many rows and no more, without a word: https://docs.snowflake.com/en/sql-reference/sql/show-tables#usage-notes */
const MOST_ROWS = 10_000;

function complete<T>(rows: readonly T[], schema: string): readonly T[] {
  if (rows.length < MOST_ROWS) return rows;
  throw new NovaError(
    "WAREHOUSE_QUERY_FAILED",
    `The schema ${schema} has more than Snowflake's SHOW lists (${MOST_ROWS} rows).`,
    {
      remedy: "Move what is not the models' to another schema.",
    },
  );
}

/** Upper-case names of models whose table was being made anew when the build ended. */
async function unfinishedNames(session: SnowflakeSession): Promise<ReadonlySet<string>> {
  try {
    const { rows } = await session.run(unfinishedModels());
    return new Set(rows.map(([model]) => (model ?? "").toUpperCase()));
  } catch (thrown) {
    if (isMissing(thrown)) return new Set();
    throw thrown;
  }
}

function plain(name: string): string {
  return name === name.toUpperCase() ? name.toLowerCase() : name;
}

const typeSchema = z.looseObject({
  type: z.string(),
  precision: z.number().nullish(),
  scale: z.number().nullish(),
  length: z.number().nullish(),
});

/** `{"type":"FIXED","precision":10,"scale":2,…}` → `NUMBER(10,2)`. Types that are not the manifest's keep Snowflake's name. */
function typeText(json: string): string {
  const parsed = typeSchema.safeParse(JSON.parse(json));
  if (!parsed.success) return json;
  const { type, precision, scale, length } = parsed.data;
  const known: Readonly<Record<string, WarehouseType>> = {
    FIXED: { kind: "number", precision: precision ?? 38, scale: scale ?? 0 },
    TEXT: { kind: "varchar", length: length ?? MAX_VARCHAR },
    BINARY: { kind: "binary", length: length ?? MAX_BINARY },
    REAL: { kind: "float" },
    BOOLEAN: { kind: "boolean" },
    DATE: { kind: "date" },
    VARIANT: { kind: "variant" },
    TIME: { kind: "time", precision: scale ?? 9 },
    TIMESTAMP_LTZ: { kind: "timestamp_ltz", precision: scale ?? 9 },
    TIMESTAMP_NTZ: { kind: "timestamp_ntz", precision: scale ?? 9 },
    TIMESTAMP_TZ: { kind: "timestamp_tz", precision: scale ?? 9 },
  };
  const exact = known[type];
  return exact ? exactType(exact) : type;
}
