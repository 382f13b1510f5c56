select
    veiculos.veiculo_id as id,
    veiculos.nome_veiculo as veiculo,
    veiculos.tipo,
    veiculos.valor_sugerido,
    count(*) as quantidade,
    sum(vendas.valor_venda) as total,
    cast(avg(vendas.valor_venda) as decimal(18, 2)) as valor_medio
from {{ ref('fct_vendas') }} as vendas
inner join {{ ref('dim_veiculos') }} as veiculos
    on vendas.veiculo_id = veiculos.veiculo_id
group by
    veiculos.veiculo_id,
    veiculos.nome_veiculo,
    veiculos.tipo,
    veiculos.valor_sugerido
