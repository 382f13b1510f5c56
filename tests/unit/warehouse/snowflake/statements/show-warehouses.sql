-- SHOW WAREHOUSES LIKE: https://docs.snowflake.com/en/sql-reference/sql/show-warehouses

-- needs no warehouse
SHOW WAREHOUSES LIKE 'DEFAULT_WH';
