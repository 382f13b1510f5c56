select
    vendedores.vendedor_id as id,
    vendedores.nome_vendedor as vendedor,
    concessionarias.nome_concessionaria as concessionaria,
    count(*) as quantidade,
    sum(vendas.valor_venda) as total,
    cast(avg(vendas.valor_venda) as decimal(18, 2)) as valor_medio
from {{ ref('fct_vendas') }} as vendas
inner join {{ ref('dim_vendedores') }} as vendedores
    on vendas.vendedor_id = vendedores.vendedor_id
left join {{ ref('dim_concessionarias') }} as concessionarias
    on vendedores.concessionaria_id = concessionarias.concessionaria_id
group by
    vendedores.vendedor_id,
    vendedores.nome_vendedor,
    concessionarias.nome_concessionaria
