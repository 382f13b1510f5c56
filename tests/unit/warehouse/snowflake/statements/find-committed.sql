-- SELECT COUNT(*) … WHERE: https://docs.snowflake.com/en/sql-reference/constructs/where

SELECT COUNT(*) FROM "PIPELINE"."BATCHES" WHERE UUID = '5f0c6f0e-6d0e-4f0a-9d54-0d3c2c7a1b11';

SELECT COUNT(*) FROM "PIPELINE"."MODEL_TRANSACTIONS" WHERE BUILD_ID = '5f0c6f0e-6d0e-4f0a-9d54-0d3c2c7a1b11';
