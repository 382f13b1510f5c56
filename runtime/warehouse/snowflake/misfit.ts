/** Finds the row whose value Snowflake refused: its message names a line of a staged file, the user needs the key. */
import { NovaError } from "../../core/errors.ts";
import type { ManifestTable } from "../../manifest/manifest.ts";
import type { StatementOptions } from "../warehouse.ts";
import { copyFiles, createTextTable, findMisfit, type IncomingShape } from "./sql/incoming.ts";
import { dropIncomingTable } from "./sql/pipeline.ts";
import type { SnowflakeSession } from "./statement.ts";

export interface Refusal {
  readonly session: SnowflakeSession;
  /** Its target is the name of a table that is made for this, and dropped. */
  readonly shape: IncomingShape;
  readonly folder: string;
  readonly options: StatementOptions;
}

/** Reads the same files once more, as texts, and looks for the value. @returns what to throw */
export async function explainRefusal(thrown: unknown, { session, shape, folder, options }: Refusal): Promise<unknown> {
  if (!(thrown instanceof NovaError) || thrown.code !== "WAREHOUSE_VALUE_INVALID") return thrown;
  const { table, columns } = shape;
  try {
    await session.run(createTextTable(shape), options);
    await session.run(copyFiles(shape, folder), options);
    const [misfit] = (await session.run(findMisfit(shape, columns), options)).rows;
    if (misfit) return misfitError(table, misfit, thrown);
  } catch {
    options.signal?.throwIfAborted();
    // Then the file itself cannot be read, and Snowflake's own message is the best there is.
  } finally {
    await session.run(dropIncomingTable(shape.target)).catch(() => undefined);
  }
  return new NovaError("WAREHOUSE_VALUE_INVALID", `${table.name}: ${thrown.message}`, {
    cause: thrown,
    remedy: thrown.remedy,
    details: { ...thrown.details, table: table.name },
  });
}

/** @param row of `findMisfit`: column, value, key */
export function misfitError(
  table: ManifestTable,
  [column, given, key]: readonly (string | null)[],
  cause?: unknown,
): NovaError {
  const shown = given === null || given === undefined ? "NULL" : `'${given}'`;
  const where = table.primaryKey.length === 0 ? "in one of its rows" : `in the row with key ${key}`;
  return new NovaError("WAREHOUSE_VALUE_INVALID", `${table.name}.${column} cannot hold ${shown} ${where}.`, {
    cause,
    ...(shown === "NULL"
      ? {
          remedy: `Take the not_null constraint from ${table.name}.${column} in the manifest, or correct the row in the source.`,
        }
      : {}),
    details: { table: table.name, column, value: shown, ...(table.primaryKey.length === 0 ? {} : { key }) },
  });
}
