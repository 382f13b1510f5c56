-- LIST @stage[/path/]: https://docs.snowflake.com/en/sql-reference/sql/list

-- needs no warehouse
LIST @"PIPELINE"."INCOMING";

-- needs no warehouse
LIST @"PIPELINE"."INCOMING"/first_loads/0a1b2c3d4e5f6071/;
