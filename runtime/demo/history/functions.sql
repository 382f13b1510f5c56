-- What the history is computed with. Everything follows from row numbers, so the same day and number of sales give the same rows.

-- A number from 0 to 2^31 - 1 that looks random, from a row number and the purpose it is for.
CREATE FUNCTION pg_temp.dice(row_number bigint, purpose integer) RETURNS bigint
LANGUAGE sql IMMUTABLE
RETURN hashint8extended(row_number, purpose) & 2147483647;

-- Maps the share of sales made so far (0 to 1) to the share of time gone by: business grows, to almost twice its rate at the start.
CREATE FUNCTION pg_temp.share_of_time(share_of_sales double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE
RETURN (sqrt(0.49 + 1.2 * share_of_sales) - 0.7) / 0.6;

-- An instant between 8:00 and 19:00, so many (broken) days after the first midnight, in microseconds after it.
CREATE FUNCTION pg_temp.opening_hours(days double precision) RETURNS bigint
LANGUAGE sql IMMUTABLE
RETURN (floor(days) * 86400000000 + 28800000000 + (days - floor(days)) * 39600000000)::bigint;

CREATE TEMPORARY TABLE setting ON COMMIT DROP AS
SELECT
  sales,
  greatest(sales * 97 / 100, 1) AS clients,
  last_midnight - interval '1096 days' AS first_midnight,
  1096 AS days,
  last_midnight
FROM (
  SELECT
    current_setting('demo.sales')::bigint AS sales,
    date_trunc('day', current_setting('demo.now')::timestamptz, 'America/Sao_Paulo') AS last_midnight
) AS given;

CREATE TEMPORARY TABLE facts ON COMMIT DROP AS
SELECT current_setting('demo.facts')::jsonb AS fact;

-- Arrays to pick from by number. They are stored plainly: unpacking a compressed one at each use took most of the time.
CREATE TEMPORARY TABLE names (
  first_names text[] STORAGE plain,
  surnames text[] STORAGE plain,
  streets text[] STORAGE plain,
  districts text[] STORAGE plain,
  companies text[] STORAGE plain
) ON COMMIT DROP;

INSERT INTO names
SELECT
  (SELECT array_agg(name ORDER BY n) FROM jsonb_array_elements_text(fact -> 'firstNames') WITH ORDINALITY AS t (name, n)),
  (SELECT array_agg(name ORDER BY n) FROM jsonb_array_elements_text(fact -> 'surnames') WITH ORDINALITY AS t (name, n)),
  (SELECT array_agg(name ORDER BY n) FROM jsonb_array_elements_text(fact -> 'streets') WITH ORDINALITY AS t (name, n)),
  (SELECT array_agg(name ORDER BY n) FROM jsonb_array_elements_text(fact -> 'districts') WITH ORDINALITY AS t (name, n)),
  (SELECT array_agg(name ORDER BY n) FROM jsonb_array_elements_text(fact -> 'companies') WITH ORDINALITY AS t (name, n))
FROM facts;

-- A weight of 3 puts a number into an array three times, so that picking any place of the array picks by weight.
CREATE TEMPORARY TABLE market (
  dealerships integer[] STORAGE plain,
  vehicles integer[] STORAGE plain
) ON COMMIT DROP;

INSERT INTO market
SELECT
  (
    SELECT array_agg(n ORDER BY n)
    FROM jsonb_array_elements(fact -> 'states') WITH ORDINALITY AS t (state, n), generate_series(1, (state -> 'weight')::integer)
  ),
  (
    SELECT array_agg(n ORDER BY n)
    FROM jsonb_array_elements(fact -> 'vehicles') WITH ORDINALITY AS t (vehicle, n), generate_series(1, (vehicle -> 'weight')::integer)
  )
FROM facts;
