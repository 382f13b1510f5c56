-- Each client with the dealership, or dealerships, that they bought from.
select distinct
    clientes.cliente_id,
    clientes.nome_cliente,
    concessionarias.concessionaria_id,
    concessionarias.nome_concessionaria
from {{ ref('fct_vendas') }} as vendas
inner join {{ ref('dim_clientes') }} as clientes
    on vendas.cliente_id = clientes.cliente_id
inner join {{ ref('dim_concessionarias') }} as concessionarias
    on vendas.concessionaria_id = concessionarias.concessionaria_id
order by clientes.nome_cliente, clientes.cliente_id, concessionarias.concessionaria_id
