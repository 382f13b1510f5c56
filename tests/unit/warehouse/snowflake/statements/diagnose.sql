-- CURRENT_USER, CURRENT_ROLE, …: https://docs.snowflake.com/en/sql-reference/functions-context
-- SHOW SCHEMAS IN DATABASE: https://docs.snowflake.com/en/sql-reference/sql/show-schemas
-- SHOW GRANTS TO ROLE: https://docs.snowflake.com/en/sql-reference/sql/show-grants
-- SHOW WAREHOUSES LIKE: https://docs.snowflake.com/en/sql-reference/sql/show-warehouses
-- DESCRIBE TABLE: https://docs.snowflake.com/en/sql-reference/sql/desc-table
-- SHOW RESOURCE MONITORS LIKE: https://docs.snowflake.com/en/sql-reference/sql/show-resource-monitors

-- needs no warehouse
SELECT CURRENT_USER(), CURRENT_ROLE(), CURRENT_SECONDARY_ROLES(), CURRENT_ORGANIZATION_NAME(), CURRENT_ACCOUNT_NAME(), CURRENT_REGION(), CURRENT_DATABASE(), CURRENT_VERSION(), CURRENT_TIMESTAMP();

-- needs no warehouse
SHOW SCHEMAS IN DATABASE "NOVADRIVE";

-- needs no warehouse
SHOW GRANTS TO ROLE "LOADER";

-- needs no warehouse
SHOW WAREHOUSES LIKE 'DEFAULT_WH';

-- needs no warehouse
DESCRIBE TABLE "STAGE"."SIMPLE";

-- needs no warehouse
SHOW RESOURCE MONITORS LIKE 'DAILY';
