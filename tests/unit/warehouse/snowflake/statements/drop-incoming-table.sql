-- DROP TABLE IF EXISTS: https://docs.snowflake.com/en/sql-reference/sql/drop-table

-- needs no warehouse
DROP TABLE IF EXISTS "PIPELINE"."INCOMING_7_0A1B2C3D_ROWS_STAGE_EXAMPLE";
