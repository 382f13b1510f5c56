-- COUNT_IF: https://docs.snowflake.com/en/sql-reference/functions/count_if
-- GROUP BY … HAVING: https://docs.snowflake.com/en/sql-reference/constructs/having

SELECT COUNT(*), COUNT_IF("ID" IS NULL), TO_VARCHAR("ID") FROM "PIPELINE"."MODEL_RESULT" GROUP BY "ID" HAVING COUNT(*) > 1 OR COUNT_IF("ID" IS NULL) > 0 ORDER BY 2 DESC LIMIT 1;

SELECT COUNT(*), COUNT_IF("ID" IS NULL OR "Mixed" IS NULL), TO_VARCHAR("ID"), TO_VARCHAR("Mixed") FROM "PIPELINE"."MODEL_RESULT" GROUP BY "ID", "Mixed" HAVING COUNT(*) > 1 OR COUNT_IF("ID" IS NULL OR "Mixed" IS NULL) > 0 ORDER BY 2 DESC LIMIT 1;
