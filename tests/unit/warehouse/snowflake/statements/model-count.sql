-- SELECT COUNT(*): https://docs.snowflake.com/en/sql-reference/functions/count

SELECT COUNT(*) FROM "ANALYTICS"."FCT_SALES";
