-- Keys and indexes of the large tables, and the sequences set to where their rows end.
ALTER TABLE clientes
  ADD PRIMARY KEY (id_clientes),
  ADD FOREIGN KEY (id_concessionarias) REFERENCES concessionarias;

CREATE INDEX ON clientes (id_concessionarias);
CREATE INDEX ON clientes (data_atualizacao);

ALTER TABLE vendas
  ADD PRIMARY KEY (id_vendas),
  ADD FOREIGN KEY (id_veiculos) REFERENCES veiculos,
  ADD FOREIGN KEY (id_concessionarias) REFERENCES concessionarias,
  ADD FOREIGN KEY (id_vendedores) REFERENCES vendedores,
  ADD FOREIGN KEY (id_clientes) REFERENCES clientes;

CREATE INDEX ON vendas (id_clientes);
CREATE INDEX ON vendas (id_veiculos);
CREATE INDEX ON vendas (data_atualizacao);

SELECT setval(pg_get_serial_sequence('veiculos', 'id_veiculos'), max(id_veiculos)) FROM veiculos;
SELECT setval(pg_get_serial_sequence('estados', 'id_estados'), max(id_estados)) FROM estados;
SELECT setval(pg_get_serial_sequence('cidades', 'id_cidades'), max(id_cidades)) FROM cidades;
SELECT setval(pg_get_serial_sequence('concessionarias', 'id_concessionarias'), max(id_concessionarias)) FROM concessionarias;
SELECT setval(pg_get_serial_sequence('vendedores', 'id_vendedores'), max(id_vendedores)) FROM vendedores;
SELECT setval(pg_get_serial_sequence('clientes', 'id_clientes'), max(id_clientes)) FROM clientes;
SELECT setval(pg_get_serial_sequence('vendas', 'id_vendas'), max(id_vendas)) FROM vendas;

ANALYZE veiculos, estados, cidades, concessionarias, vendedores, clientes, vendas;
