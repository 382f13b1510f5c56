-- CREATE STAGE IF NOT EXISTS: https://docs.snowflake.com/en/sql-reference/sql/create-stage

-- needs no warehouse
CREATE STAGE IF NOT EXISTS "PIPELINE"."INCOMING";
