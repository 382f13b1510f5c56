/** The privileges that a batch needs, object by object. */
import type { Manifest, ManifestTable } from "../../manifest/manifest.ts";
import type { Need } from "./privileges.ts";

const PIPELINE = "PIPELINE";

/** On the schemas: those of the stage tables, those of the models, and the runtime's own. */
export function schemaNeeds(database: string, manifest: Manifest, modelSchemas: readonly string[]): readonly Need[] {
  const needed = new Map<string, Set<string>>();
  const need = (schema: string, ...privileges: readonly string[]): void => {
    const name = schema.toUpperCase();
    needed.set(name, new Set([...(needed.get(name) ?? []), ...privileges]));
  };
  for (const { schema } of manifest.tables) need(schema, "USAGE");
  for (const schema of modelSchemas) need(schema, "USAGE", "CREATE TABLE", "CREATE VIEW");
  need(PIPELINE, "USAGE", "CREATE TABLE", "CREATE STAGE");
  return Array.from(needed, ([schema, privileges]) => ({
    kind: "SCHEMA",
    path: [database, schema],
    privileges: [...privileges],
  }));
}

/** Stage tables belong to the infrastructure program, so the runtime needs leave to change their rows. */
export function tableNeed(database: string, { schema, name }: ManifestTable): Need {
  return {
    kind: "TABLE",
    path: [database, schema.toUpperCase(), name.toUpperCase()],
    privileges: ["SELECT", "INSERT", "UPDATE", "DELETE"],
  };
}

/** USAGE resumes a warehouse that resumes by itself; any other takes OPERATE. */
export function warehouseNeed(name: string, autoResume: boolean): Need {
  return { kind: "WAREHOUSE", path: [name], privileges: autoResume ? ["USAGE"] : ["USAGE", "OPERATE"] };
}
