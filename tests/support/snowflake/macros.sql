-- Functions of Snowflake that the adapter's own statements use, and that neither the translation nor DuckDB knows.

-- https://docs.snowflake.com/en/sql-reference/functions/equal_null
CREATE OR REPLACE MACRO equal_null(a, b) AS a IS NOT DISTINCT FROM b;

-- https://docs.snowflake.com/en/sql-reference/functions/hex_encode: capitals unless the second argument is 0.
CREATE OR REPLACE MACRO hex_encode(value) AS hex(value),
(value, letters) AS CASE WHEN letters = 0 THEN lower(hex(value)) ELSE hex(value) END;
