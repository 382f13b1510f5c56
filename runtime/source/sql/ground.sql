-- $1: OIDs of relations. What holds the rows of each: itself, its partitions, the tables that inherit from it. No function here waits for a lock.
WITH RECURSIVE part AS (
  SELECT wanted.oid AS relation, wanted.oid FROM unnest($1::oid[]) AS wanted(oid)
  UNION
  SELECT part.relation, i.inhrelid FROM part JOIN pg_catalog.pg_inherits i ON i.inhparent = part.oid
)
SELECT part.relation,
       c.oid,
       c.relfilenode AS file,
       c.relkind = 'r' AND am.amname = 'heap' AS heap,
       c.relpersistence = 'p' AS logged,
       c.reltuples::float8 AS rows,
       greatest(c.relpages, 0)::float8 * current_setting('block_size')::int AS bytes
FROM part
JOIN pg_catalog.pg_class c ON c.oid = part.oid
LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
WHERE c.relkind <> 'p'
ORDER BY part.relation, c.oid
