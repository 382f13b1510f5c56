-- SHOW TERSE TABLES IN SCHEMA: https://docs.snowflake.com/en/sql-reference/sql/show-tables

-- needs no warehouse
SHOW TERSE TABLES IN SCHEMA "PIPELINE";
