-- The sales of three years, up to the last midnight. What was paid is 95 % to 100 % of the list price, in whole cents.
-- OFFSET 0: see clients.sql.
INSERT INTO vendas (
  id_vendas, id_veiculos, id_concessionarias, id_vendedores, id_clientes, valor_pago, data_venda, data_inclusao, data_atualizacao
)
SELECT
  n + (n - 1) / 89,
  vehicle,
  dealership,
  first_seller[dealership] + e % sellers[dealership],
  client + (client - 1) / 173,
  -- Rounded up, and still never above the price because the share never is.
  (price[vehicle] * share + 999999) / 1000000 * 0.01,
  first_midnight + sold * interval '1 microsecond',
  first_midnight + entered * interval '1 microsecond',
  first_midnight + CASE
    WHEN n <= 12 THEN NULL
    WHEN e % 17 = 0 THEN least(entered + e % 259200000 * 1000 + 1, days * 86400000000 - e % 3600000000)
    ELSE entered
  END * interval '1 microsecond'
FROM (
  SELECT
    *,
    -- Both ends of the range are met exactly, now and then.
    CASE n % 997
      WHEN 1 THEN share_from[vehicle]
      WHEN 2 THEN share_to[vehicle]
      ELSE share_from[vehicle] + pg_temp.dice(n, 34) % (share_to[vehicle] - share_from[vehicle] + 1)
    END AS share
  FROM (
    SELECT
      n, e, days, first_midnight, sold, client, price_list.*, teams.*,
      sold + b % 300000000 AS entered,
      -- Before a vehicle was on the price list, its share of the sales went to the first one.
      CASE WHEN sold < listed[wanted] THEN 1 ELSE wanted END AS vehicle,
      dealerships[1 + pg_temp.dice(client, 20) % cardinality(dealerships)] AS dealership
    FROM (
      SELECT
        n, b, e, days, first_midnight, dealerships,
        vehicles[1 + a % cardinality(vehicles)] AS wanted,
        pg_temp.opening_hours(days * pg_temp.share_of_time((n - 1 + c / 2147483648.0::double precision) / sales)) AS sold,
        -- One sale in twenty is to a client who came back.
        CASE WHEN b % 20 = 0 THEN 1 + c % greatest(n * clients / sales, 1) ELSE greatest(n * clients / sales, 1) END AS client
      FROM (
        SELECT *, pg_temp.dice(n, 30) AS a, pg_temp.dice(n, 31) AS b, pg_temp.dice(n, 32) AS c, pg_temp.dice(n, 33) AS e
        FROM (SELECT *, generate_series(1, sales) AS n FROM setting) AS number
        OFFSET 0
      ) AS drawn, market
      OFFSET 0
    ) AS sale, (
      SELECT
        array_agg((extract(epoch FROM data_inclusao - first_midnight) * 1000000)::bigint ORDER BY n) AS listed,
        array_agg(((v ->> 'price')::numeric * 100)::bigint ORDER BY n) AS price,
        array_agg((v #> '{paid,from}')::bigint ORDER BY n) AS share_from,
        array_agg((v #> '{paid,to}')::bigint ORDER BY n) AS share_to
      FROM setting, facts, jsonb_array_elements(fact -> 'vehicles') WITH ORDINALITY AS t (v, n) JOIN veiculos ON id_veiculos = n
    ) AS price_list, (
      SELECT array_agg(first ORDER BY dealership) AS first_seller, array_agg(number ORDER BY dealership) AS sellers
      FROM (SELECT id_concessionarias AS dealership, min(id_vendedores) AS first, count(*) AS number FROM vendedores GROUP BY 1) AS team
    ) AS teams
    OFFSET 0
  ) AS agreed
  OFFSET 0
) AS deal;
