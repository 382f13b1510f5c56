-- scalar subquery: https://docs.snowflake.com/en/user-guide/querying-subqueries#scalar-subqueries
-- MERGE: https://docs.snowflake.com/en/sql-reference/sql/merge
-- IS DISTINCT FROM: https://docs.snowflake.com/en/sql-reference/functions/is-distinct-from

MERGE INTO "PIPELINE"."GUARD" AS G USING (SELECT 1 AS ID, 6 AS EXPECTED, 7 AS BATCH_ID, (SELECT COALESCE(MAX(BATCH_ID), 0) FROM "PIPELINE"."BATCHES") AS LAST_BATCH_ID) AS N ON G.ID = N.ID WHEN MATCHED AND G.BATCH_ID = N.EXPECTED THEN UPDATE SET BATCH_ID = N.BATCH_ID WHEN NOT MATCHED AND N.LAST_BATCH_ID = N.EXPECTED THEN INSERT (ID, BATCH_ID) VALUES (N.ID, N.BATCH_ID);
