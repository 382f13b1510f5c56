-- $1: OIDs of relations. Their foreign keys; those that a partition has from its parent are left out.
SELECT c.conrelid AS relation,
       n.nspname AS target_schema,
       t.relname AS target_table,
       array_agg(a.attname::text ORDER BY k.position) AS columns,
       array_agg(f.attname::text ORDER BY k.position) AS target_columns
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_class t ON t.oid = c.confrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
CROSS JOIN LATERAL unnest(c.conkey, c.confkey) WITH ORDINALITY AS k(attnum, target_attnum, position)
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum
JOIN pg_catalog.pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = k.target_attnum
WHERE c.contype = 'f' AND c.conrelid = ANY ($1::oid[]) AND c.conparentid = 0
GROUP BY c.oid, c.conrelid, n.nspname, t.relname
ORDER BY c.conrelid, c.oid
