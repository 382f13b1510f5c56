-- $1: JSON array of {"relation", "cursor"}. How large each table is as of its last VACUUM or ANALYZE, and whether an index over all its rows, or
-- one over the rows of each of its parts, begins with its cursor. Functions that open the table (pg_relation_size, pg_partition_tree) would wait
-- for a lock on it.
WITH RECURSIVE wanted AS (
  SELECT w.relation, w.cursor
  FROM pg_catalog.json_to_recordset($1::json) AS w(relation oid, cursor text)
), part AS (
  SELECT relation, relation AS oid FROM wanted
  UNION
  SELECT part.relation, i.inhrelid FROM part JOIN pg_catalog.pg_inherits i ON i.inhparent = part.oid
), indexed AS (
  SELECT i.indrelid AS oid, a.attname AS cursor
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
  JOIN pg_catalog.pg_am m ON m.oid = x.relam
  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
  WHERE i.indrelid IN (SELECT oid FROM part) AND i.indisvalid AND i.indpred IS NULL AND m.amname IN ('btree', 'brin')
)
SELECT c.oid AS relation,
       wanted.cursor,
       (SELECT coalesce(sum(greatest(p.relpages, 0)::float8), 0) * current_setting('block_size')::float8
        FROM part JOIN pg_catalog.pg_class p ON p.oid = part.oid
        WHERE part.relation = c.oid AND p.relkind IN ('r', 'm')
       ) AS bytes,
       (SELECT coalesce(sum(greatest(p.reltuples, 0)::float8), 0)
        FROM part JOIN pg_catalog.pg_class p ON p.oid = part.oid
        WHERE part.relation = c.oid AND p.relkind IN ('r', 'm')
       ) AS rows,
       NOT EXISTS (
         SELECT FROM part JOIN pg_catalog.pg_class p ON p.oid = part.oid
         WHERE part.relation = c.oid AND p.relkind <> 'p'
           AND NOT EXISTS (SELECT FROM indexed WHERE indexed.oid = p.oid AND indexed.cursor = wanted.cursor)
       ) AS indexed
FROM wanted
JOIN pg_catalog.pg_class c ON c.oid = wanted.relation
WHERE c.relkind IN ('r', 'p', 'm')
