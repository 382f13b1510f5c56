-- $1: JSON array of {"relation", "column"}. The sequence that each column's numbers are drawn from, if it is the column's own.
SELECT w.relation,
       s.seqincrement > 0 AS ascending,
       s.seqcache = 1 AS uncached,
       NOT s.seqcycle AS endless,
       -- Another one after ALTER SEQUENCE … RESTART and TRUNCATE … RESTART IDENTITY; setval leaves it.
       c.relfilenode::text AS file,
       -- Null without the privilege to read it, and before the first number.
       q.last_value::text AS last
FROM pg_catalog.json_to_recordset($1::json) AS w(relation oid, "column" text)
JOIN pg_catalog.pg_attribute a ON a.attrelid = w.relation AND a.attname = w."column"
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
  AND d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')
JOIN pg_catalog.pg_sequence s ON s.seqrelid = d.objid
JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_sequences q ON q.schemaname = n.nspname AND q.sequencename = c.relname
WHERE a.attidentity <> ''
   OR EXISTS (
     SELECT FROM pg_catalog.pg_attrdef f
     JOIN pg_catalog.pg_depend e ON e.classid = 'pg_catalog.pg_attrdef'::regclass AND e.objid = f.oid AND e.refobjid = s.seqrelid
     WHERE f.adrelid = a.attrelid AND f.adnum = a.attnum
   )
