-- ALTER TABLE … ALTER ( COLUMN … COMMENT … ): https://docs.snowflake.com/en/sql-reference/sql/alter-table-column

-- needs no warehouse
ALTER TABLE "ANALYTICS"."FCT_SALES" ALTER (COLUMN "ID" COMMENT 'A back\\slash, a ''quote''', COLUMN "Mixed" COMMENT '');
