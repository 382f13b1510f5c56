-- $1: OIDs of relations. Their columns in order; a domain is followed down to the type that it is made of.
WITH RECURSIVE attribute AS (
  SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull
  FROM pg_catalog.pg_attribute a
  WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
), chain AS (
  SELECT attrelid, attnum, atttypid AS type, atttypmod AS modifier, attnotnull AS not_null, 0 AS depth
  FROM attribute
  UNION ALL
  SELECT chain.attrelid, chain.attnum, t.typbasetype,
         CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE chain.modifier END,
         chain.not_null OR t.typnotnull, chain.depth + 1
  FROM chain
  JOIN pg_catalog.pg_type t ON t.oid = chain.type
  WHERE t.typtype = 'd'
), base AS (
  SELECT DISTINCT ON (attrelid, attnum) attrelid, attnum, type, modifier, not_null
  FROM chain
  ORDER BY attrelid, attnum, depth DESC
)
SELECT attribute.attrelid AS relation,
       attribute.attname AS name,
       attribute.attnum AS number,
       CASE WHEN n.nspname = 'pg_catalog' THEN t.typname::text ELSE n.nspname || '.' || t.typname END AS type_name,
       base.modifier,
       format_type(attribute.atttypid, attribute.atttypmod) AS type_text,
       base.not_null,
       col_description(attribute.attrelid, attribute.attnum) AS comment
FROM attribute
JOIN base USING (attrelid, attnum)
JOIN pg_catalog.pg_type t ON t.oid = base.type
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
ORDER BY attribute.attrelid, attribute.attnum
