-- DESCRIBE TABLE: https://docs.snowflake.com/en/sql-reference/sql/desc-table
-- DESCRIBE VIEW: https://docs.snowflake.com/en/sql-reference/sql/desc-view

-- needs no warehouse
DESCRIBE TABLE "STAGE"."SIMPLE";

-- needs no warehouse
DESCRIBE TABLE "ANALYTICS"."FCT_SALES";

-- needs no warehouse
DESCRIBE VIEW "ANALYTICS"."FCT_SALES";

-- needs no warehouse
DESCRIBE TABLE "PIPELINE"."MODEL_RESULT";
