select
    concessionarias.concessionaria_id as id,
    concessionarias.nome_concessionaria as concessionaria,
    cidades.nome_cidade as cidade,
    estados.nome_estado as estado,
    count(*) as quantidade,
    sum(vendas.valor_venda) as total,
    cast(avg(vendas.valor_venda) as decimal(18, 2)) as valor_medio
from {{ ref('fct_vendas') }} as vendas
inner join {{ ref('dim_concessionarias') }} as concessionarias
    on vendas.concessionaria_id = concessionarias.concessionaria_id
left join {{ ref('dim_cidades') }} as cidades
    on concessionarias.cidade_id = cidades.cidade_id
left join {{ ref('dim_estados') }} as estados
    on cidades.estado_id = estados.estado_id
group by
    concessionarias.concessionaria_id,
    concessionarias.nome_concessionaria,
    cidades.nome_cidade,
    estados.nome_estado
