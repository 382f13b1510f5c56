-- $1: JSON array of {"schema", "name"}. One row a table that exists and is something that can be read from.
SELECT c.oid,
       n.nspname AS schema,
       c.relname AS name,
       c.relkind AS kind,
       has_schema_privilege(n.oid, 'USAGE') AS schema_usage,
       has_table_privilege(c.oid, 'SELECT') AS readable,
       row_security_active(c.oid) AS filtered,
       obj_description(c.oid, 'pg_class') AS comment
FROM pg_catalog.json_to_recordset($1::json) AS wanted(schema text, name text)
JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
