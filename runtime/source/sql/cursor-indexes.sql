-- $1: JSON array of {"relation", "cursor"}. How large each table is, and whether an index over all its rows begins with its cursor.
SELECT c.oid AS relation,
       (SELECT coalesce(sum(pg_relation_size(part.relid)), 0)::float8
        FROM (SELECT relid FROM pg_catalog.pg_partition_tree(c.oid) WHERE isleaf UNION SELECT c.oid WHERE c.relkind <> 'p') AS part
       ) AS bytes,
       EXISTS (
         SELECT FROM pg_catalog.pg_index i
         JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
         JOIN pg_catalog.pg_am m ON m.oid = x.relam
         JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
         WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND m.amname IN ('btree', 'brin')
           AND a.attname = wanted.cursor
       ) AS indexed
FROM pg_catalog.json_to_recordset($1::json) AS wanted(relation oid, cursor text)
JOIN pg_catalog.pg_class c ON c.oid = wanted.relation
WHERE c.relkind IN ('r', 'p', 'm')
