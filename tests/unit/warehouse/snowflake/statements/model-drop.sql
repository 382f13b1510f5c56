-- DROP TABLE IF EXISTS: https://docs.snowflake.com/en/sql-reference/sql/drop-table
-- DROP VIEW IF EXISTS: https://docs.snowflake.com/en/sql-reference/sql/drop-view

-- needs no warehouse
DROP TABLE IF EXISTS "ANALYTICS"."FCT_SALES";

-- needs no warehouse
DROP VIEW IF EXISTS "ANALYTICS"."FCT_SALES";
