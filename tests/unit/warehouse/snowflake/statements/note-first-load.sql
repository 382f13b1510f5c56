-- scalar subquery: https://docs.snowflake.com/en/user-guide/querying-subqueries#scalar-subqueries
-- MERGE: https://docs.snowflake.com/en/sql-reference/sql/merge
-- IS DISTINCT FROM: https://docs.snowflake.com/en/sql-reference/functions/is-distinct-from
-- WHEN NOT MATCHED THEN INSERT: https://docs.snowflake.com/en/sql-reference/sql/merge#notmatchedclause-for-inserts

MERGE INTO "PIPELINE"."FIRST_LOADS" AS F USING (SELECT 'simple' AS TABLE_NAME, '0a1b2c3d4e5f6071' AS LOAD_ID, 1 AS OPENINGS, 7 AS BATCH_ID, '{"server":"1/1","relation":"16384"}' AS FENCE) AS N ON F.TABLE_NAME = N.TABLE_NAME WHEN NOT MATCHED THEN INSERT (TABLE_NAME, LOAD_ID, OPENINGS, BATCH_ID, FENCE) VALUES (N.TABLE_NAME, N.LOAD_ID, N.OPENINGS, N.BATCH_ID, N.FENCE);

MERGE INTO "PIPELINE"."FIRST_LOADS" AS F USING (SELECT 'simple' AS TABLE_NAME, '0a1b2c3d4e5f6071' AS LOAD_ID, 2 AS OPENINGS, 7 AS BATCH_ID, '{"server":"1/1","relation":"16384"}' AS FENCE) AS N ON F.TABLE_NAME = N.TABLE_NAME WHEN MATCHED AND F.LOAD_ID = '0a1b2c3d4e5f6071' AND F.OPENINGS = 1 THEN UPDATE SET LOAD_ID = N.LOAD_ID, OPENINGS = N.OPENINGS, BATCH_ID = N.BATCH_ID, FENCE = N.FENCE WHEN NOT MATCHED THEN INSERT (TABLE_NAME, LOAD_ID, OPENINGS, BATCH_ID, FENCE) VALUES (N.TABLE_NAME, N.LOAD_ID, N.OPENINGS, N.BATCH_ID, N.FENCE);
