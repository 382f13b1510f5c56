-- $1: schema. Its tables in order of their names: no partitions of others, and nothing that belongs to an extension.
-- $2: names of what else is wanted, views and partitions too.
SELECT c.oid,
       n.nspname AS schema,
       c.relname AS name,
       c.relkind AS kind,
       has_schema_privilege(n.oid, 'USAGE') AS schema_usage,
       has_table_privilege(c.oid, 'SELECT') AS readable,
       false AS filtered,
       obj_description(c.oid, 'pg_class') AS comment
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1
  AND (
    c.relkind IN ('r', 'p')
    AND NOT c.relispartition
    AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend d
      WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
    OR c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname = ANY ($2::text[])
  )
ORDER BY c.relname
