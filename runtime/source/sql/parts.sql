-- $1: OID of a relation. What holds its rows: the partitions of a partitioned table, else itself, with their sizes.
SELECT n.nspname AS schema,
       c.relname AS name,
       c.oid,
       c.relkind IN ('r', 'm') AND am.amname = 'heap' AS ranged,
       has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid) AS readable,
       CASE WHEN c.relkind IN ('r', 'm')
            THEN (pg_relation_size(c.oid) / current_setting('block_size')::int)::float8 ELSE 0 END AS pages,
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_table_size(c.oid)::float8 ELSE 0 END AS bytes
FROM (SELECT relid FROM pg_catalog.pg_partition_tree($1::oid) WHERE isleaf
      UNION SELECT $1::oid WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_partition_tree($1::oid))) AS part
JOIN pg_catalog.pg_class c ON c.oid = part.relid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
ORDER BY c.oid
