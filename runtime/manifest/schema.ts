/** The schema of the manifest file: a dbt source file (dbt 1.10 and later) whose `config.meta` holds the sync settings. */
import { z } from "zod";

const name = z.string().min(1).max(255);

const syncSchema = z.strictObject({
  mode: z.enum(["full_refresh", "append", "incremental"]).optional(),
  cursor: z.union([name, z.array(name).min(1)], "must be a column, or a list of columns").optional(),
  detect: z.enum(["scan", "cursor"]).optional(),
  deletes: z.enum(["hard", "soft", "ignore"]).optional(),
  delete_check: z.enum(["batch", "verify"]).optional(),
});

const columnSchema = z.strictObject({
  name,
  description: z.string().optional(),
  data_type: z.string(),
  constraints: z.array(z.strictObject({ type: z.literal("not_null") })).optional(),
  data_tests: z.array(z.unknown()).optional(),
  tests: z.array(z.unknown()).optional(),
  tags: z.unknown().optional(),
  quote: z.boolean().optional(),
  config: z
    .strictObject({
      // YAML reads an unquoted `null` as nothing at all; what stands there is looked at once more by the reader.
      meta: z.strictObject({ on_misfit: z.enum(["fail", "text", "null"]).nullable().optional() }).optional(),
      tags: z.unknown().optional(),
    })
    .optional(),
});

const tableSchema = z.strictObject({
  name,
  description: z.string().optional(),
  identifier: name.optional(),
  config: z
    .looseObject({
      meta: z
        .strictObject({
          source_schema: name.optional(),
          source_table: name.optional(),
          primary_key: z.array(name).min(1).optional(),
          sync: syncSchema.optional(),
        })
        .optional(),
    })
    .optional(),
  columns: z.array(columnSchema).min(1),
  data_tests: z.array(z.unknown()).optional(),
  tests: z.array(z.unknown()).optional(),
  tags: z.unknown().optional(),
});

const sourceSchema = z.strictObject({
  name,
  description: z.string().optional(),
  database: z.string().optional(),
  schema: name.optional(),
  loader: z.string().optional(),
  config: z
    .looseObject({ meta: z.strictObject({ source_schema: name.optional(), sync: syncSchema.optional() }).optional() })
    .optional(),
  tables: z.array(tableSchema),
  tags: z.unknown().optional(),
});

export const manifestSchema = z.strictObject({
  version: z.literal(2),
  sources: z.array(sourceSchema).min(1),
});

export type ManifestFile = z.infer<typeof manifestSchema>;
export type SourceEntry = z.infer<typeof sourceSchema>;
export type TableEntry = z.infer<typeof tableSchema>;
