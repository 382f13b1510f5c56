-- PUT file://… @stage/path/: https://docs.snowflake.com/en/sql-reference/sql/put
-- SOURCE_COMPRESSION, AUTO_COMPRESS, OVERWRITE: https://docs.snowflake.com/en/sql-reference/sql/put#optional-parameters

-- needs no warehouse
PUT 'file:///var/lib/novadrive/staged/simple-rows/0.csv.gz' @"PIPELINE"."INCOMING"/7/0a1b2c3d/ SOURCE_COMPRESSION = GZIP AUTO_COMPRESS = FALSE OVERWRITE = TRUE;

-- needs no warehouse
PUT 'file:///var/lib/it''s here/0.csv' @"PIPELINE"."INCOMING"/7/0a1b2c3d/ AUTO_COMPRESS = TRUE OVERWRITE = TRUE;

-- needs no warehouse
PUT 'file:///var/lib/novadrive/staged/simple-rows/0.csv.gz' @"PIPELINE"."INCOMING"/first_loads/0a1b2c3d4e5f6071/1/12345/ni65WKkgsKlGyMjQztjDRUUorys9VsjKojQUA/ SOURCE_COMPRESSION = GZIP AUTO_COMPRESS = FALSE OVERWRITE = TRUE;
