-- How many sellers each dealership has; one without any shows 0.
select
    concessionarias.concessionaria_id,
    concessionarias.nome_concessionaria,
    count(vendedores.vendedor_id) as vendedores
from {{ ref('dim_concessionarias') }} as concessionarias
left join {{ ref('dim_vendedores') }} as vendedores
    on concessionarias.concessionaria_id = vendedores.concessionaria_id
group by concessionarias.concessionaria_id, concessionarias.nome_concessionaria
order by vendedores desc, concessionarias.concessionaria_id
