-- $1: JSON array of {"position", "relation", "columns"}. What holds the rows of each relation: itself, its partitions, the tables that inherit from it.
-- No function here waits for a lock.
WITH RECURSIVE wanted AS (
  SELECT * FROM pg_catalog.json_to_recordset($1::json) AS w(position int, relation oid, columns text[])
), part AS (
  SELECT wanted.position, wanted.relation, wanted.relation AS oid FROM wanted
  UNION
  SELECT part.position, part.relation, i.inhrelid FROM part JOIN pg_catalog.pg_inherits i ON i.inhparent = part.oid
)
SELECT part.position,
       c.oid,
       c.relfilenode AS file,
       -- Those of the relation itself are known already.
       CASE WHEN part.oid <> part.relation THEN (
         SELECT left(md5(string_agg(format('%s %s %s', a.attnum, a.atttypid, a.atttypmod), ',' ORDER BY name.position)), 8)
         FROM unnest(wanted.columns) WITH ORDINALITY AS name(name, position)
         JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = name.name
       ) END AS columns,
       c.relkind = 'r' AND am.amname = 'heap' AS heap,
       c.relpersistence = 'p' AS logged,
       c.reltuples::float8 AS rows,
       greatest(c.relpages, 0)::float8 * current_setting('block_size')::int AS bytes
FROM part
JOIN wanted USING (position)
JOIN pg_catalog.pg_class c ON c.oid = part.oid
LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
WHERE c.relkind <> 'p'
ORDER BY part.position, c.oid
