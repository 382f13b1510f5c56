-- $1: OIDs of relations. Their unique keys, the primary key first: no partial ones, none over expressions, none half built.
SELECT i.indrelid AS relation,
       i.indisprimary AS is_primary,
       array_agg(a.attname::text ORDER BY k.position) AS columns
FROM pg_catalog.pg_index i
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, position)
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = ANY ($1::oid[])
  AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
  AND k.position <= i.indnkeyatts
GROUP BY i.indexrelid, i.indrelid, i.indisprimary
ORDER BY i.indrelid, i.indisprimary DESC, i.indexrelid
