-- SHOW TERSE OBJECTS LIKE … IN SCHEMA: https://docs.snowflake.com/en/sql-reference/sql/show-objects

-- needs no warehouse
SHOW TERSE OBJECTS IN SCHEMA "ANALYTICS";

-- needs no warehouse
SHOW TERSE OBJECTS LIKE 'fct_sales' IN SCHEMA "ANALYTICS";
