/** How a source table has moved away from the manifest without stopping the load. A pure function of the catalogue. */
import { identifier } from "../core/sql.ts";
import { namedColumns, type Warning } from "../core/warning.ts";
import { heldFor, missingColumns } from "../manifest/introspect.ts";
import { stageColumns, type ManifestTable } from "../manifest/manifest.ts";
import { dataTypeFor, quoted } from "../manifest/postgres-type.ts";
import { exactType } from "../manifest/warehouse-type.ts";
import { isKeyless, type Relation } from "./catalogue.ts";

export function driftOf(table: ManifestTable, relation: Relation): readonly Warning[] {
  return [...newColumns(table, relation), ...table.columns.flatMap((column) => changes(table, relation, column))];
}

/** Columns that the manifest lacks: those that it can take, and those whose name is taken. */
function newColumns(table: ManifestTable, relation: Relation): Warning[] {
  const name = `${relation.schema}.${relation.name}`;
  const present = table.columns.map((column) => column.name);
  const taken = stageColumns(table).map((column) => column.name);
  const addable = missingColumns(relation, taken).map((column) => column.name);
  const rest = relation.columns
    .map((column) => column.name)
    .filter((column) => !present.includes(column) && !addable.includes(column));
  const found: Warning[] = [];
  if (addable.length > 0) {
    found.push({
      kind: "column_new",
      table: table.name,
      columns: addable,
      message: `${name} has ${namedColumns(addable)} that the manifest lacks: not loaded.`,
      remedy: `\`novadrive introspect ${schemaFlag(relation)}--write\` adds it to the manifest; where Pulumi makes the stage tables, run \`pulumi up\` then.`,
    });
  }
  if (rest.length > 0) {
    found.push({
      kind: "column_left_out",
      table: table.name,
      columns: rest,
      message: `${name} has ${namedColumns(rest)}, whose name another column of the stage table has (upper and lower case are the same there): not loaded.`,
      remedy: `To have it loaded, give it another name in the source: ALTER TABLE ${identifier(relation.schema, relation.name)} RENAME COLUMN ${identifier(rest[0] ?? "")} TO …;`,
    });
  }
  return found;
}

const schemaFlag = ({ schema }: Relation): string => (schema === "public" ? "" : `--schema ${schema} `);

function changes(table: ManifestTable, relation: Relation, column: ManifestTable["columns"][number]): Warning[] {
  const live = relation.columns.find((candidate) => candidate.name === column.name);
  if (!live) return [];
  const name = `${relation.schema}.${relation.name}.${column.name}`;
  const at = { table: table.name, columns: [column.name] };
  const found: Warning[] = [];
  // With a policy, what does not fit is let through, and counted.
  if (heldFor(live.type, column.type) === "some" && column.onMisfit === undefined) {
    found.push({
      kind: "type_changed",
      ...at,
      message: `${name} is ${live.type.text} in the source and ${exactType(column.type)} in the manifest: a value that does not fit will stop the batch.`,
      remedy: `In the manifest, for ${column.name} of ${table.name}, write data_type: ${quoted(dataTypeFor(live.type))}.`,
    });
  }
  if (!column.nullable && !live.notNull && !isKeyless(relation) && !table.primaryKey.includes(column.name)) {
    const sqlName = identifier(relation.schema, relation.name);
    found.push({
      kind: "column_nullable",
      ...at,
      message: `${name} may be NULL in the source, and not in the manifest: a NULL will stop the batch.`,
      remedy: `In the manifest, take not_null from ${column.name} of ${table.name}; or ALTER TABLE ${sqlName} ALTER COLUMN ${identifier(column.name)} SET NOT NULL;`,
    });
  }
  return found;
}
