-- Functions of Snowflake that DuckDB lacks or means otherwise. translate/rewrite.ts calls them by these names; views refer to them, so they
-- are part of the warehouse file. Sessions are in UTC.

-- https://docs.snowflake.com/en/sql-reference/functions/initcap: the words' first letters upper, all others lower case; words end at white
-- space and at any of !?@"^#$&~_,.:;+-*%/|\[](){}<>, so "d'ávila" is one word.
CREATE OR REPLACE MACRO nd_initcap(value) AS
    array_to_string(
        list_transform(
            regexp_extract_all(
                value,
                '[^\s!?@"^#$&~_,.:;+\-*%/|\\\[\](){}<>]+|[\s!?@"^#$&~_,.:;+\-*%/|\\\[\](){}<>]+'
            ),
            lambda word: upper(word[1]) || lower(word[2:])
        ),
        ''
    ),
(value, delimiters) AS
    CASE
        WHEN delimiters = '' THEN upper(value[1]) || lower(value[2:])
        ELSE array_to_string(
            list_transform(
                regexp_extract_all(
                    value,
                    '[^' || regexp_escape(delimiters) || ']+|[' || regexp_escape(delimiters) || ']+'
                ),
                lambda word: CASE
                    WHEN contains(delimiters, word[1]) THEN word
                    ELSE upper(word[1]) || lower(word[2:])
                END
            ),
            ''
        )
    END;

-- A value as text in the session's default output formats: https://docs.snowflake.com/en/sql-reference/parameters#timestamp-output-format.
-- The detour over VARCHAR lets one macro bind for every type; typeof() is folded, so only one branch is left.
CREATE OR REPLACE MACRO nd_text(value) AS
    CASE
        WHEN typeof(value) = 'JSON' THEN json_extract_string(to_json(value), '$')
        WHEN typeof(value) = 'TIMESTAMP WITH TIME ZONE'
            THEN strftime(CAST(CAST(value AS VARCHAR) AS TIMESTAMPTZ), '%Y-%m-%d %H:%M:%S.%g +0000')
        WHEN typeof(value) = 'TIMESTAMP' THEN strftime(CAST(CAST(value AS VARCHAR) AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g')
        ELSE CAST(value AS VARCHAR)
    END;

CREATE OR REPLACE MACRO nd_format(value, format) AS strftime(value, format);

CREATE OR REPLACE MACRO nd_now() AS get_current_timestamp();

CREATE OR REPLACE MACRO nd_sysdate() AS timezone('UTC', get_current_timestamp());

-- A DATE stays a DATE where DuckDB makes it a TIMESTAMP: https://docs.snowflake.com/en/sql-reference/functions/date_trunc.
CREATE OR REPLACE MACRO nd_date_trunc(unit, value) AS cast_to_type(date_trunc(unit, value), value);

-- nd_add_days is for units of whole days, nd_add_time for parts of a day.
-- Fractions of a unit are rounded: https://docs.snowflake.com/en/sql-reference/functions/dateadd.
CREATE OR REPLACE MACRO nd_add_days(duration, value) AS cast_to_type(value + duration, value);

CREATE OR REPLACE MACRO nd_add_time(duration, value) AS value + duration;

CREATE OR REPLACE MACRO nd_years(amount) AS to_years(CAST(round(amount) AS INTEGER));

CREATE OR REPLACE MACRO nd_quarters(amount) AS to_months(CAST(round(amount) AS INTEGER) * 3);

CREATE OR REPLACE MACRO nd_months(amount) AS to_months(CAST(round(amount) AS INTEGER));

CREATE OR REPLACE MACRO nd_weeks(amount) AS to_days(CAST(round(amount) AS INTEGER) * 7);

CREATE OR REPLACE MACRO nd_days(amount) AS to_days(CAST(round(amount) AS INTEGER));

CREATE OR REPLACE MACRO nd_hours(amount) AS to_hours(CAST(round(amount) AS BIGINT));

CREATE OR REPLACE MACRO nd_minutes(amount) AS to_minutes(CAST(round(amount) AS BIGINT));

CREATE OR REPLACE MACRO nd_seconds(amount) AS to_seconds(CAST(round(amount) AS BIGINT));

CREATE OR REPLACE MACRO nd_milliseconds(amount) AS to_milliseconds(CAST(round(amount) AS BIGINT));

CREATE OR REPLACE MACRO nd_microseconds(amount) AS to_microseconds(CAST(round(amount) AS BIGINT));

-- Boundaries crossed, not full units: https://docs.snowflake.com/en/sql-reference/functions/datediff.
CREATE OR REPLACE MACRO nd_datediff(unit, from_value, to_value) AS
    date_diff(unit, CAST(CAST(from_value AS VARCHAR) AS TIMESTAMPTZ), CAST(CAST(to_value AS VARCHAR) AS TIMESTAMPTZ));

-- The wall clock of a zone, without a zone: https://docs.snowflake.com/en/sql-reference/functions/convert_timezone.
CREATE OR REPLACE MACRO nd_convert_timezone(zone, value) AS timezone(zone, CAST(value AS TIMESTAMPTZ)),
(from_zone, to_zone, value) AS timezone(to_zone, timezone(from_zone, CAST(value AS TIMESTAMP)));

-- Numbers divide to six decimals more than the dividend has, floats to a float; division by zero is an error:
-- https://docs.snowflake.com/en/sql-reference/operators-arithmetic. cast_to_type looks at its second argument's type only, so the product
-- with a zero of scale 6 is a type computed by DuckDB, never a value.
CREATE OR REPLACE MACRO nd_quotient(dividend, divisor) AS
    cast_to_type(
        CAST(dividend AS DOUBLE) / CAST(divisor AS DOUBLE),
        CASE WHEN TRUE THEN dividend * CAST(0 AS DECIMAL(38, 6)) ELSE divisor END
    );

CREATE OR REPLACE MACRO nd_divide(dividend, divisor) AS
    CASE WHEN divisor = 0 THEN error('Division by zero') ELSE nd_quotient(dividend, divisor) END;

CREATE OR REPLACE MACRO nd_div0(dividend, divisor) AS
    CASE WHEN divisor = 0 AND dividend IS NOT NULL THEN 0 ELSE nd_quotient(dividend, divisor) END;

CREATE OR REPLACE MACRO nd_div0null(dividend, divisor) AS
    CASE WHEN coalesce(divisor, 0) = 0 THEN 0 ELSE nd_quotient(dividend, divisor) END;

-- An average has six decimals more than its values; the mean itself is given, so that windows work too.
CREATE OR REPLACE MACRO nd_mean(mean, value) AS cast_to_type(mean, value * CAST(0 AS DECIMAL(38, 6)));

-- The pattern must match the whole text: https://docs.snowflake.com/en/sql-reference/functions/regexp_like.
CREATE OR REPLACE MACRO nd_regexp_like(value, pattern) AS regexp_full_match(value, pattern),
(value, pattern, flags) AS
    regexp_full_match(value, CASE WHEN contains(flags, 'i') THEN '(?i)' ELSE '' END || pattern);

CREATE OR REPLACE MACRO nd_sha256(value) AS sha256(value);

-- https://docs.snowflake.com/en/sql-reference/functions/flatten, without PATH, OUTER, RECURSIVE and MODE.
CREATE OR REPLACE MACRO nd_flatten(input) AS TABLE
    SELECT
        1 AS seq,
        CASE WHEN json_type(to_json(input)) = 'OBJECT' THEN entry.key END AS key,
        substr(entry.fullkey, 3) AS path,
        CASE WHEN json_type(to_json(input)) = 'ARRAY' THEN CAST(entry.key AS BIGINT) END AS index,
        entry.value AS value,
        to_json(input) AS this
    FROM json_each(to_json(input)) AS entry;

CREATE OR REPLACE MACRO startswith(value, prefix) AS starts_with(value, prefix);

CREATE OR REPLACE MACRO nd_divnull(dividend, divisor) AS nd_quotient(dividend, nullif(divisor, 0));
