-- ALTER TABLE … ALTER ( COLUMN … TYPE … ): https://docs.snowflake.com/en/sql-reference/sql/alter-table-column

-- needs no warehouse
ALTER TABLE "ANALYTICS"."FCT_SALES" ALTER (COLUMN "STATUS" TYPE VARCHAR(20), COLUMN "Mixed" TYPE NUMBER(12,2));
