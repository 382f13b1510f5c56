-- SELECT … FROM (…) AS: https://docs.snowflake.com/en/sql-reference/constructs/from
-- LEFT JOIN … ON: https://docs.snowflake.com/en/sql-reference/constructs/join
-- COALESCE: https://docs.snowflake.com/en/sql-reference/functions/coalesce
-- MAX: https://docs.snowflake.com/en/sql-reference/functions/max

SELECT B.LAST_BATCH_ID, W.TABLE_NAME, W.BATCH_ID, W.CURSOR_VALUE, W.CURSOR_COLUMN, W.FENCE FROM (SELECT COALESCE(MAX(BATCH_ID), 0) AS LAST_BATCH_ID FROM "PIPELINE"."BATCHES") AS B LEFT JOIN "PIPELINE"."WATERMARKS" AS W ON TRUE;
