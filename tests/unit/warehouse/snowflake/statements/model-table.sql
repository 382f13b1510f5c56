-- CREATE OR REPLACE TRANSIENT TABLE … COPY GRANTS COMMENT = … AS: https://docs.snowflake.com/en/sql-reference/sql/create-table#variant-syntax

CREATE OR REPLACE TRANSIENT TABLE "ANALYTICS"."FCT_SALES" COPY GRANTS AS
select id
from stage.sales;

CREATE OR REPLACE TRANSIENT TABLE "ANALYTICS"."FCT_SALES" COPY GRANTS COMMENT = 'A back\\slash, a ''quote''' AS
select id
from stage.sales;
