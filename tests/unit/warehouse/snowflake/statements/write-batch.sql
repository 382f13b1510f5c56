-- INSERT INTO … SELECT: https://docs.snowflake.com/en/sql-reference/sql/insert
-- CURRENT_TIMESTAMP: https://docs.snowflake.com/en/sql-reference/functions/current_timestamp

INSERT INTO "PIPELINE"."BATCHES" (BATCH_ID, UUID, SNAPSHOT, STARTED_AT, PUBLISHED_AT) SELECT 7, '5f0c6f0e-6d0e-4f0a-9d54-0d3c2c7a1b11', TO_TIMESTAMP_LTZ('2025-01-02T03:04:05.678901+00:00'), TO_TIMESTAMP_LTZ('2025-01-02T00:00:00.000+00:00'), CURRENT_TIMESTAMP();
