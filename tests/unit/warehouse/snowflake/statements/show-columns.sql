-- SHOW COLUMNS IN SCHEMA: https://docs.snowflake.com/en/sql-reference/sql/show-columns

-- needs no warehouse
SHOW COLUMNS IN SCHEMA "ANALYTICS";
