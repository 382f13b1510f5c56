-- DELETE FROM: https://docs.snowflake.com/en/sql-reference/sql/delete

DELETE FROM "STAGE"."EVERY_TYPE" WHERE (SELECT MAX(BATCH_ID) FROM "PIPELINE"."GUARD") = 7;
