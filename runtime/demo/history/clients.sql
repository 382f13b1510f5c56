-- One client for almost every sale, entered shortly before it. Numbers have gaps, as a sequence leaves them.
-- OFFSET 0 keeps PostgreSQL from merging the levels, which would compute what they share again at each use: 5 times slower.
INSERT INTO clientes (id_clientes, cliente, endereco, id_concessionarias, data_inclusao, data_atualizacao)
SELECT
  n + (n - 1) / 173,
  CASE a % 97
    WHEN 11 THEN upper(name)
    WHEN 23 THEN lower(name)
    WHEN 31 THEN name || '  '
    WHEN 43 THEN companies[1 + b % cardinality(companies)]
    ELSE name
  END,
  -- Rarely an address of two lines, one with a backslash, or none at all.
  CASE b % 1499
    WHEN 7 THEN E'Condomínio "Solar d\'Oeste"\nBloco B, apto ' || a % 90
    WHEN 11 THEN 'Fazenda Boa Vista \ km ' || a % 400
    WHEN 13 THEN ''
    ELSE streets[1 + c % cardinality(streets)] || ', ' || 1 + d % 2990
      || CASE d % 5 WHEN 0 THEN ', apto ' || 11 + c % 190 ELSE '' END
      || ' - ' || districts[1 + d % cardinality(districts)]
      || CASE c % 61 WHEN 9 THEN ' ' ELSE '' END
  END,
  dealership,
  entered,
  CASE
    WHEN n <= 12 THEN NULL
    WHEN d % 25 = 0 THEN least(entered + d % 40 * interval '1.000003 day', last_midnight - a % 7200000 * interval '1 millisecond')
    ELSE entered
  END
FROM (
  SELECT
    n, a, b, c, d, last_midnight, streets, districts, companies,
    dealerships[1 + pg_temp.dice(n, 20) % cardinality(dealerships)] AS dealership,
    first_names[1 + a % cardinality(first_names)] || ' ' || surnames[1 + b % cardinality(surnames)]
      || CASE c % 3 WHEN 0 THEN ' ' || surnames[1 + d % cardinality(surnames)] ELSE '' END AS name,
    first_midnight + (pg_temp.opening_hours(moment) - 60000000 - c % 1500000000) * interval '1 microsecond' AS entered
  FROM (
    SELECT
      n, first_midnight, last_midnight,
      pg_temp.dice(n, 21) AS a,
      pg_temp.dice(n, 22) AS b,
      pg_temp.dice(n, 23) AS c,
      pg_temp.dice(n, 24) AS d,
      -- Of the first sale to this client; the very first sale is always to the first client (sales.sql).
      days * pg_temp.share_of_time(CASE n WHEN 1 THEN 0 ELSE (n * sales - 1) / clients END / sales::double precision) AS moment
    FROM (SELECT *, generate_series(1, clients) AS n FROM setting WHERE sales > 0) AS number
    OFFSET 0
  ) AS drawn, names, market
  OFFSET 0
) AS person;
