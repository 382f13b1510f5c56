-- The small tables: price list, states, cities, dealerships, sellers.
INSERT INTO veiculos (id_veiculos, nome, tipo, valor, data_inclusao, data_atualizacao)
SELECT n, vehicle ->> 'name', vehicle ->> 'type', (vehicle ->> 'price')::numeric, listed, listed
FROM
  facts,
  setting,
  jsonb_array_elements(fact -> 'vehicles') WITH ORDINALITY AS t (vehicle, n),
  LATERAL (
    SELECT last_midnight - (vehicle -> 'daysListed')::integer * interval '1 day'
      + (36000000000 + pg_temp.dice(n, 1) % 3600000000) * interval '1 microsecond' AS listed
  ) AS moment;

-- Rows older than the column data_atualizacao, never touched since.
INSERT INTO estados (id_estados, estado, sigla, data_inclusao, data_atualizacao)
SELECT n, state ->> 'name', state ->> 'sigla', first_midnight - interval '400 days' + n * interval '1003 milliseconds', NULL
FROM facts, setting, jsonb_array_elements(fact -> 'states') WITH ORDINALITY AS t (state, n);

-- Typed in by hand: some in capitals, some in small letters.
INSERT INTO cidades (id_cidades, cidade, id_estados, data_inclusao, data_atualizacao)
SELECT
  n,
  CASE n % 9 WHEN 4 THEN upper(state ->> 'capital') WHEN 7 THEN lower(state ->> 'capital') ELSE state ->> 'capital' END,
  n,
  entered,
  entered
FROM
  facts,
  setting,
  jsonb_array_elements(fact -> 'states') WITH ORDINALITY AS t (state, n),
  LATERAL (SELECT first_midnight - interval '399 days' + n * interval '61.000217 seconds' AS entered) AS moment;

INSERT INTO concessionarias (id_concessionarias, concessionaria, id_cidades, data_inclusao, data_atualizacao)
SELECT
  n,
  'Concessionária NovaDrive Motors ' || (state ->> 'capital') || CASE n % 10 WHEN 3 THEN ' ' WHEN 8 THEN '  ' ELSE '' END,
  n,
  entered,
  entered
FROM
  facts,
  setting,
  jsonb_array_elements(fact -> 'states') WITH ORDINALITY AS t (state, n),
  LATERAL (SELECT first_midnight - interval '398 days' + n * interval '1.5 days 17.000331 seconds' AS entered) AS moment;

-- Four to six sellers a dealership.
INSERT INTO vendedores (id_vendedores, nome, id_concessionarias, data_inclusao, data_atualizacao)
SELECT
  n,
  CASE n % 17 WHEN 5 THEN upper(name) WHEN 11 THEN lower(name) ELSE name END,
  id_concessionarias,
  hired,
  hired
FROM (
  SELECT row_number() OVER (ORDER BY id_concessionarias, place) AS n, id_concessionarias
  FROM concessionarias, generate_series(1, 4 + pg_temp.dice(id_concessionarias, 2) % 3) AS place
) AS seller, names, setting, LATERAL (
  SELECT
    first_names[1 + pg_temp.dice(n, 3) % cardinality(first_names)] || ' ' || surnames[1 + pg_temp.dice(n, 4) % cardinality(surnames)] AS name,
    first_midnight - (20 + pg_temp.dice(n, 5) % 300) * interval '1 day' + pg_temp.dice(n, 6) * interval '17 microseconds' AS hired
) AS person;
