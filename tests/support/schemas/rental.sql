-- A film rental shop, laid out like the well-known sample databases: 18 tables, most of PostgreSQL's types, some hundred rows.
CREATE TYPE rating AS ENUM ('G', 'PG', 'PG-13', 'R', 'NC-17');
CREATE TYPE dimensions AS (width int, height int);
CREATE DOMAIN release_year AS integer CHECK (VALUE BETWEEN 1888 AND 2155);
CREATE DOMAIN amount AS numeric(7, 2) CHECK (VALUE >= 0);
CREATE DOMAIN paid_amount AS amount NOT NULL;
CREATE DOMAIN email AS varchar(120) CHECK (VALUE LIKE '%@%');

CREATE TABLE country (
  country_id smallint PRIMARY KEY,
  country text NOT NULL,
  iso char(2) NOT NULL,
  last_update timestamptz NOT NULL DEFAULT '2024-01-15 09:34:33.5+00'
);
COMMENT ON TABLE country IS 'Countries that the shop delivers to.';
COMMENT ON COLUMN country.iso IS 'Two letters: ISO 3166-1.';
CREATE TABLE city (
  city_id int PRIMARY KEY,
  city varchar(50) NOT NULL,
  country_id smallint NOT NULL REFERENCES country,
  location point,
  last_update timestamptz NOT NULL DEFAULT '2024-01-15 09:34:33.5+00'
);
CREATE TABLE address (
  address_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  address varchar(50) NOT NULL,
  district varchar(20),
  city_id int NOT NULL REFERENCES city,
  postal_code char(10),
  phone bit varying(40),
  last_update timestamptz NOT NULL DEFAULT '2024-01-15 09:34:33.5+00'
);
CREATE TABLE language (
  language_id int PRIMARY KEY,
  name char(20) NOT NULL,
  last_update timestamp NOT NULL DEFAULT '2024-01-15 09:34:33.5'
);
CREATE TABLE category (
  category_id int PRIMARY KEY,
  name varchar(25) NOT NULL UNIQUE
);
CREATE TABLE actor (
  actor_id int PRIMARY KEY,
  first_name varchar(45) NOT NULL,
  last_name varchar(45) NOT NULL,
  full_name text GENERATED ALWAYS AS (first_name || ' ' || last_name) STORED,
  portrait bytea,
  born date,
  last_update timestamptz NOT NULL DEFAULT '2024-01-15 09:34:33.5+00'
);
CREATE TABLE film (
  film_id int PRIMARY KEY,
  title varchar(255) NOT NULL,
  description text,
  release_year release_year,
  language_id int NOT NULL REFERENCES language,
  original_language_id int REFERENCES language (language_id),
  rental_rate numeric(4, 2) NOT NULL DEFAULT 4.99,
  replacement_cost amount,
  budget numeric,
  length smallint,
  running_time interval,
  rating rating DEFAULT 'G',
  special_features text[],
  fulltext tsvector NOT NULL,
  age_range int4range,
  frame dimensions,
  metadata jsonb NOT NULL DEFAULT '{}',
  "no" boolean,
  last_update timestamptz NOT NULL DEFAULT '2024-01-15 09:34:33.5+00'
);
CREATE TABLE film_actor (
  actor_id int REFERENCES actor,
  film_id int REFERENCES film,
  billing real,
  last_update timestamptz NOT NULL DEFAULT '2024-01-15 09:34:33.5+00',
  PRIMARY KEY (film_id, actor_id)
);
CREATE TABLE film_category (
  film_id int REFERENCES film,
  category_id int REFERENCES category,
  PRIMARY KEY (film_id, category_id)
);
CREATE TABLE store (
  store_id int PRIMARY KEY,
  address_id bigint NOT NULL REFERENCES address,
  opens time NOT NULL,
  closes time with time zone,
  network cidr,
  router inet,
  door macaddr,
  revenue money,
  last_update timestamptz NOT NULL DEFAULT '2024-01-15 09:34:33.5+00'
);
CREATE TABLE staff (
  staff_id int PRIMARY KEY,
  first_name varchar(45) NOT NULL,
  store_id int NOT NULL REFERENCES store,
  email email,
  active boolean NOT NULL DEFAULT true,
  flags bit(8),
  token uuid NOT NULL,
  settings xml,
  last_update timestamptz NOT NULL DEFAULT '2024-01-15 09:34:33.5+00'
);
CREATE TABLE customer (
  customer_id int PRIMARY KEY,
  store_id int NOT NULL REFERENCES store,
  first_name text NOT NULL,
  email email,
  address_id bigint NOT NULL REFERENCES address,
  score double precision,
  preferences json,
  created date NOT NULL DEFAULT '2024-02-01',
  last_update timestamptz DEFAULT '2024-01-15 09:34:33.5+00'
);
CREATE TABLE inventory (
  inventory_id int PRIMARY KEY,
  film_id int NOT NULL REFERENCES film,
  store_id int NOT NULL REFERENCES store,
  last_update timestamptz NOT NULL DEFAULT '2024-01-15 09:34:33.5+00'
);
CREATE TABLE rental (
  rental_id int PRIMARY KEY,
  rental_date timestamptz NOT NULL,
  inventory_id int NOT NULL REFERENCES inventory,
  customer_id int NOT NULL REFERENCES customer,
  return_date timestamptz,
  period tstzrange,
  staff_id int NOT NULL REFERENCES staff,
  last_update timestamptz NOT NULL DEFAULT '2024-01-15 09:34:33.5+00'
);
CREATE TABLE payment (
  payment_id int NOT NULL,
  payment_date timestamptz NOT NULL,
  customer_id int NOT NULL REFERENCES customer,
  rental_id int NOT NULL REFERENCES rental,
  amount paid_amount,
  PRIMARY KEY (payment_date, payment_id)
) PARTITION BY RANGE (payment_date);
CREATE TABLE payment_2024_01 PARTITION OF payment FOR VALUES FROM ('2024-01-01+00') TO ('2024-02-01+00');
CREATE TABLE payment_2024_02 PARTITION OF payment FOR VALUES FROM ('2024-02-01+00') TO ('2024-03-01+00');
CREATE TABLE payment_other PARTITION OF payment DEFAULT;
CREATE TABLE price_list (
  film_id int NOT NULL,
  valid_from date NOT NULL,
  store_id int NOT NULL,
  price numeric(12, 4) NOT NULL,
  rounded numeric(5, -1),
  PRIMARY KEY (film_id, valid_from, store_id)
);
CREATE TABLE price_change (
  change_id bigint PRIMARY KEY,
  film_id int NOT NULL,
  valid_from date NOT NULL,
  store_id int NOT NULL,
  "lastModifiedAt" timestamptz NOT NULL,
  FOREIGN KEY (film_id, valid_from, store_id) REFERENCES price_list
);
CREATE TABLE audit_log (
  at timestamptz NOT NULL,
  entry text
);
CREATE VIEW film_list AS SELECT film_id, title FROM film;

INSERT INTO country SELECT i, 'País ' || i, chr(64 + i) || 'X' FROM generate_series(1, 20) i;
INSERT INTO city SELECT i, 'São ' || i, 1 + i % 20, point(i, -i / 2.0) FROM generate_series(1, 40) i;
INSERT INTO address (address, district, city_id, postal_code, phone)
  SELECT 'Rua "' || i || '", nº ' || i, CASE WHEN i % 3 > 0 THEN '' END, 1 + i % 40, lpad(i::text, 5, '0'), i::bit(20)
  FROM generate_series(1, 60) i;
INSERT INTO language VALUES (1, 'English'), (2, 'Português'), (3, '日本語');
INSERT INTO category SELECT i, 'Category ' || i FROM generate_series(1, 8) i;
INSERT INTO actor (actor_id, first_name, last_name, portrait, born)
  SELECT i, 'Actor', 'N' || i, CASE WHEN i % 2 = 0 THEN decode(lpad(to_hex(i), 8, '0'), 'hex') END, date '1950-01-01' + i * 100
  FROM generate_series(1, 30) i;
INSERT INTO film
  SELECT i, 'Film ' || i, E'Line one\r\nline "two", \\N', 1990 + i % 30, 1 + i % 3, CASE WHEN i % 5 = 0 THEN 2 END, 0.99 + i % 9,
         i * 1.25, CASE i % 4 WHEN 0 THEN 1234567890.123456789 WHEN 1 THEN 0.1 END, 80 + i % 60, make_interval(mins => 80 + i),
         (enum_range(NULL::rating))[1 + i % 5], CASE WHEN i % 2 = 0 THEN ARRAY['Trailers', 'a "quoted", one', NULL] ELSE '{}' END,
         to_tsvector('simple', 'film ' || i), int4range(i % 18, NULL), ROW(1920, 1080)::dimensions,
         jsonb_build_object('n', i, 'é', ARRAY[i]), i % 3 = 0
  FROM generate_series(1, 100) i;
INSERT INTO film_actor SELECT 1 + i % 30, 1 + i % 100, i / 3.0 FROM generate_series(1, 150) i;
INSERT INTO film_category SELECT i, 1 + i % 8 FROM generate_series(1, 100) i;
INSERT INTO store VALUES (1, 1, '09:00', '18:30-03', '10.0.0.0/8', '10.1.2.3', '08:00:2b:01:02:03', 12345.67),
                         (2, 2, '10:15:30.5', NULL, NULL, '::1', NULL, NULL);
INSERT INTO staff SELECT i, 'Staff ' || i, 1 + i % 2, 's' || i || '@example.com', i % 2 = 0, i::bit(8),
  md5(i::text)::uuid, '<a>1</a>' FROM generate_series(1, 4) i;
INSERT INTO customer SELECT i, 1 + i % 2, 'Cliente ' || i, NULL, 1 + i % 60, CASE i % 3 WHEN 0 THEN i / 7.0 WHEN 1 THEN 'NaN'::float8 END,
  json_build_object('news', i % 2 = 0) FROM generate_series(1, 80) i;
INSERT INTO inventory SELECT i, 1 + i % 100, 1 + i % 2 FROM generate_series(1, 200) i;
INSERT INTO rental SELECT i, timestamptz '2024-01-01 00:00+00' + i * interval '5 hours', i, 1 + i % 80,
  CASE WHEN i % 4 > 0 THEN timestamptz '2024-01-03 00:00+00' + i * interval '5 hours' END,
  tstzrange('2024-01-01 00:00+00', NULL), 1 + i % 4 FROM generate_series(1, 200) i;
INSERT INTO payment SELECT i, timestamptz '2024-01-01 00:00+00' + i * interval '9 hours', 1 + i % 80, i, 0.99 + i % 5
  FROM generate_series(1, 200) i;
INSERT INTO price_list SELECT i, date '2024-01-01' + i, 1, i * 1.0001, 1230 FROM generate_series(1, 50) i;
INSERT INTO price_change SELECT i, i, date '2024-01-01' + i, 1, timestamptz '2024-03-01 12:00+00' + i * interval '1 minute'
  FROM generate_series(1, 50) i;
INSERT INTO audit_log SELECT timestamptz '2024-01-01 00:00+00', NULL FROM generate_series(1, 5) i;
