-- Clients who bought a premium hybrid SUV or a vehicle that costs more than 600 000, with the most that each has ever paid.
select
    clientes.cliente_id,
    clientes.nome_cliente,
    max(vendas.valor_venda) as maior_valor_pago
from {{ ref('fct_vendas') }} as vendas
inner join {{ ref('dim_clientes') }} as clientes
    on vendas.cliente_id = clientes.cliente_id
inner join {{ ref('dim_veiculos') }} as veiculos
    on vendas.veiculo_id = veiculos.veiculo_id
group by clientes.cliente_id, clientes.nome_cliente
having sum(case when veiculos.tipo = 'SUV Premium Híbrida' or veiculos.valor_sugerido > 600000 then 1 else 0 end) > 0
order by maior_valor_pago desc, clientes.cliente_id
