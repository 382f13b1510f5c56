-- CREATE OR REPLACE TEMPORARY TABLE … AS: https://docs.snowflake.com/en/sql-reference/sql/create-table#variant-syntax

CREATE OR REPLACE TEMPORARY TABLE "PIPELINE"."MODEL_RESULT" AS
select id
from stage.sales;
