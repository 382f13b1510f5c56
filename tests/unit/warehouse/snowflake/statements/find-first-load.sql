-- SELECT … WHERE: https://docs.snowflake.com/en/sql-reference/constructs/where
-- LEFT JOIN … ON: https://docs.snowflake.com/en/sql-reference/constructs/join

SELECT LOAD_ID, OPENINGS, BATCH_ID, FENCE FROM "PIPELINE"."FIRST_LOADS" WHERE TABLE_NAME = 'sales';

SELECT F.TABLE_NAME, F.LOAD_ID, W.TABLE_NAME AS PUBLISHED FROM "PIPELINE"."FIRST_LOADS" AS F LEFT JOIN "PIPELINE"."WATERMARKS" AS W ON W.TABLE_NAME = F.TABLE_NAME;
