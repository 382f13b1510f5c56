-- The sales of three years, up to the last midnight. What was paid is 95 % to 100 % of the list price, in whole cents.
INSERT INTO vendas (
  id_vendas, id_veiculos, id_concessionarias, id_vendedores, id_clientes, valor_pago, data_venda, data_inclusao, data_atualizacao
)
SELECT
  n + (n - 1) / 89,
  vehicle,
  dealership,
  first_seller + e % sellers,
  client + (client - 1) / 173,
  -- Rounded up, and never above the price because the share never is.
  (price * share + 999999) / 1000000 * 0.01,
  first_midnight + sold * interval '1 microsecond',
  first_midnight + entered * interval '1 microsecond',
  first_midnight + CASE
    WHEN n <= 12 THEN NULL
    WHEN e % 17 = 0 THEN least(entered + e % 259200000 * 1000 + 1, days * 86400000000 - e % 3600000000)
    ELSE entered
  END * interval '1 microsecond'
FROM (
  SELECT
    n, a, e, days, first_midnight, sold, client, sold + b % 300000000 AS entered,
    -- Before a vehicle was on the price list, its share of the sales went to the first one.
    CASE WHEN sold < listed[vehicles[1 + a % cardinality(vehicles)]] THEN 1 ELSE vehicles[1 + a % cardinality(vehicles)] END AS vehicle,
    dealerships[1 + pg_temp.dice(client, 20) % cardinality(dealerships)] AS dealership
  FROM
    setting,
    choice,
    (
      SELECT array_agg((extract(epoch FROM data_inclusao - first_midnight) * 1000000)::bigint ORDER BY id_veiculos) AS listed
      FROM veiculos, setting
    ) AS price_list,
    generate_series(1, sales) AS n,
    LATERAL (
      SELECT pg_temp.dice(n, 30) AS a, pg_temp.dice(n, 31) AS b, pg_temp.dice(n, 32) AS c, pg_temp.dice(n, 33) AS e
    ) AS dice,
    LATERAL (
      SELECT
        pg_temp.opening_hours(days * pg_temp.share_of_time((n - 1 + c / 2147483648.0::double precision) / sales)) AS sold,
        -- One sale in twenty is to a client who came back.
        CASE WHEN b % 20 = 0 THEN 1 + c % greatest(n * clients / sales, 1) ELSE greatest(n * clients / sales, 1) END AS client
    ) AS sale
) AS drawn
JOIN (
  SELECT
    n AS vehicle,
    ((v ->> 'price')::numeric * 100)::bigint AS price,
    (v #> '{paid,from}')::bigint AS share_from,
    (v #> '{paid,to}')::bigint AS share_to
  FROM facts, jsonb_array_elements(fact -> 'vehicles') WITH ORDINALITY AS t (v, n)
) AS list USING (vehicle)
JOIN (
  SELECT id_concessionarias AS dealership, min(id_vendedores) AS first_seller, count(*) AS sellers FROM vendedores GROUP BY 1
) AS team USING (dealership),
LATERAL (
  SELECT
    -- Both ends of the range are met exactly, now and then.
    CASE n % 997 WHEN 1 THEN share_from WHEN 2 THEN share_to
    ELSE share_from + pg_temp.dice(n, 34) % (share_to - share_from + 1) END AS share
) AS deal
ORDER BY n;
