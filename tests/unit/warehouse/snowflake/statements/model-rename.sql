-- ALTER TABLE … RENAME TO: https://docs.snowflake.com/en/sql-reference/sql/alter-table
-- ALTER VIEW … RENAME TO: https://docs.snowflake.com/en/sql-reference/sql/alter-view

-- needs no warehouse
ALTER TABLE "ANALYTICS"."FCT_SALES__ND_NEW" RENAME TO "ANALYTICS"."FCT_SALES";

-- needs no warehouse
ALTER VIEW "ANALYTICS"."FCT_SALES__ND_NEW" RENAME TO "ANALYTICS"."FCT_SALES";
