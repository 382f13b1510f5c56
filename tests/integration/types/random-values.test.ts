/** Random values of every type that has them go from PostgreSQL through CSV into the warehouse, and are the same text there. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { CHOSEN, columnsSql, columnsYaml, SAMPLES, TYPES, type TypeSample } from "../../support/every-type.ts";
import { createProject, WAREHOUSES } from "../../support/project.ts";
import { RANDOM } from "../../support/random-values.ts";
import { sourceRows, stageRows } from "../../support/same-values.ts";

const ROWS = 150;
/** What is read back in another form, and what has no room for every value, is for the chosen values. */
const columns: readonly TypeSample[] = [...SAMPLES, ...CHOSEN.filter(({ column }) => column.endsWith("_text"))].filter(
  ({ source, read }) => read === undefined && RANDOM[source] !== undefined,
);
const valuesOf = ({ source }: TypeSample): fc.Arbitrary<(string | null)[]> =>
  fc.array(fc.option(RANDOM[source] ?? fc.constant(""), { freq: 8 }), { minLength: ROWS, maxLength: ROWS });

it.each(WAREHOUSES)("%s holds them exactly", async (warehouse) => {
  await using project = await createProject(warehouse, {
    source: `${TYPES}; CREATE TABLE samples (id int PRIMARY KEY, ${columnsSql(columns)})`,
    tables: `
- name: samples
  config: {meta: {primary_key: [id], sync: {mode: full_refresh}}}
  columns:
    - {name: id, data_type: integer}
${columnsYaml(columns)}`,
  });
  const given = columns.map((_, index) => `$${index + 1}::text[]`).join(", ");
  const cast = columns.map(({ source }, index) => `c${index}::${source}`).join(", ");
  const names = columns.map((_, index) => `c${index}`).join(", ");
  await fc.assert(
    fc.asyncProperty(fc.tuple(...columns.map(valuesOf)), async (values) => {
      await project.database.query("TRUNCATE samples");
      await project.database.query(
        `INSERT INTO samples SELECT i, ${cast} FROM unnest(${given}) WITH ORDINALITY AS given (${names}, i)`,
        values,
      );
      expect((await project.run()).error).toBeUndefined();
      expect(await stageRows(project, "samples", columns)).toEqual(await sourceRows(project, "samples", columns));
    }),
    { numRuns: 2, seed: 20_240_229, endOnFailure: true },
  );
});
