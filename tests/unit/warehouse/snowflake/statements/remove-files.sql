-- REMOVE @stage[/path/]: https://docs.snowflake.com/en/sql-reference/sql/remove

-- needs no warehouse
REMOVE @"PIPELINE"."INCOMING"/7/;

-- needs no warehouse
REMOVE @"PIPELINE"."INCOMING";
