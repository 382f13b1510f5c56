-- CREATE OR REPLACE VIEW … ( column COMMENT … ) COPY GRANTS COMMENT = … AS: https://docs.snowflake.com/en/sql-reference/sql/create-view

-- needs no warehouse
CREATE OR REPLACE VIEW "ANALYTICS"."FCT_SALES" COPY GRANTS AS
select id
from stage.sales;

-- needs no warehouse
CREATE OR REPLACE VIEW "ANALYTICS"."FCT_SALES" COPY GRANTS COMMENT = 'A back\\slash, a ''quote''' AS
select id
from stage.sales;

-- needs no warehouse
CREATE OR REPLACE VIEW "ANALYTICS"."FCT_SALES" ("ID" COMMENT 'A back\\slash, a ''quote''', "Mixed") COPY GRANTS AS
select id
from stage.sales;

-- needs no warehouse
CREATE OR REPLACE VIEW "ANALYTICS"."FCT_SALES" ("ID" COMMENT 'A back\\slash, a ''quote''', "Mixed") COPY GRANTS COMMENT = 'A back\\slash, a ''quote''' AS
select id
from stage.sales;
