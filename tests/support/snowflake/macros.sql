-- Functions of Snowflake that the adapter's own statements use, and that neither the translation nor DuckDB knows.

-- https://docs.snowflake.com/en/sql-reference/functions/equal_null
CREATE OR REPLACE MACRO equal_null(a, b) AS a IS NOT DISTINCT FROM b;

-- https://docs.snowflake.com/en/sql-reference/functions/hex_encode: capitals unless the second argument is 0.
CREATE OR REPLACE MACRO hex_encode(value) AS hex(value),
(value, letters) AS CASE WHEN letters = 0 THEN lower(hex(value)) ELSE hex(value) END;

-- https://docs.snowflake.com/en/sql-reference/functions/to_double
CREATE OR REPLACE MACRO to_double(value) AS CAST(value AS DOUBLE);

-- https://docs.snowflake.com/en/sql-reference/functions/try_to_timestamp; sessions are in UTC.
CREATE OR REPLACE MACRO nd_try_timestamp(value) AS
    CASE WHEN strlen(value) >= 10 AND NOT regexp_matches(value, '[A-SU-Ya-z]') THEN TRY_CAST(value AS TIMESTAMPTZ) END;

CREATE OR REPLACE MACRO try_to_timestamp_ltz(value) AS nd_try_timestamp(value);

CREATE OR REPLACE MACRO try_to_timestamp_tz(value) AS nd_try_timestamp(value);

CREATE OR REPLACE MACRO try_to_timestamp_ntz(value) AS CAST(nd_try_timestamp(value) AS TIMESTAMP);

-- https://docs.snowflake.com/en/sql-reference/functions/try_to_binary
CREATE OR REPLACE MACRO try_to_binary(value, format) AS
    CASE WHEN regexp_full_match(value, '([0-9a-fA-F]{2})*') THEN unhex(value) END;

-- https://docs.snowflake.com/en/sql-reference/functions/to_char: BINARY has the formats HEX, BASE64 and UTF-8, of which HEX is known here;
-- a TIME is no argument of strftime. The detour over VARCHAR lets one macro bind for every type.
CREATE OR REPLACE MACRO nd_format(value, format) AS
    CASE
        WHEN typeof(value) = 'BLOB' AND format = 'HEX' THEN hex(CAST(CAST(value AS VARCHAR) AS BLOB))
        WHEN typeof(value) = 'TIME' THEN strftime(CAST('1970-01-01 ' || CAST(value AS VARCHAR) AS TIMESTAMP), format)
        ELSE strftime(CAST(CAST(value AS VARCHAR) AS TIMESTAMP), format)
    END;

-- https://docs.snowflake.com/en/sql-reference/functions/to_binary: HEX is the default format, and the only one known here.
CREATE OR REPLACE MACRO to_binary(value) AS unhex(value),
(value, format) AS unhex(value);

-- https://docs.snowflake.com/en/sql-reference/functions/md5_number_lower64: the last 16 digits of MD5_HEX as a number without sign; DuckDB's
-- own md5_number_lower turns their bytes round.
CREATE OR REPLACE MACRO md5_number_lower64(value) AS CAST('0x' || substr(md5(value), 17, 16) AS UBIGINT);

-- https://docs.snowflake.com/en/sql-reference/functions/timestamp_from_parts: of a date and a time.
CREATE OR REPLACE MACRO timestamp_ntz_from_parts(day, clock) AS day + clock;

-- https://docs.snowflake.com/en/sql-reference/functions/to_date: the translation knows it in queries only.
CREATE OR REPLACE MACRO to_date(value) AS CAST(value AS DATE);
