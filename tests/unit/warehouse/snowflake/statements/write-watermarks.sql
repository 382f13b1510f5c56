-- scalar subquery: https://docs.snowflake.com/en/user-guide/querying-subqueries#scalar-subqueries
-- MERGE: https://docs.snowflake.com/en/sql-reference/sql/merge
-- IS DISTINCT FROM: https://docs.snowflake.com/en/sql-reference/functions/is-distinct-from
-- FROM ( VALUES … ) AS alias ( columns ): https://docs.snowflake.com/en/sql-reference/constructs/values

MERGE INTO "PIPELINE"."WATERMARKS" AS W USING (SELECT TABLE_NAME, BATCH_ID, CURSOR_VALUE, CURSOR_COLUMN, FENCE FROM (VALUES ('every_type', 7, '2025-01-02 03:04:05.678901+00', 'updated_at', '{"a":"b"}'), ('single_column', 7, NULL, NULL, '{}')) AS V (TABLE_NAME, BATCH_ID, CURSOR_VALUE, CURSOR_COLUMN, FENCE) WHERE (SELECT MAX(BATCH_ID) FROM "PIPELINE"."GUARD") = 7) AS N ON W.TABLE_NAME = N.TABLE_NAME WHEN MATCHED THEN UPDATE SET BATCH_ID = N.BATCH_ID, CURSOR_VALUE = N.CURSOR_VALUE, CURSOR_COLUMN = N.CURSOR_COLUMN, FENCE = N.FENCE WHEN NOT MATCHED THEN INSERT (TABLE_NAME, BATCH_ID, CURSOR_VALUE, CURSOR_COLUMN, FENCE) VALUES (N.TABLE_NAME, N.BATCH_ID, N.CURSOR_VALUE, N.CURSOR_COLUMN, N.FENCE);
