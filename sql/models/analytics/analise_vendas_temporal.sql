with vendas as (
    select
        cast(date_trunc('month', convert_timezone('{{ var("timezone") }}', data_venda)) as date) as mes_venda,
        valor_venda
    from {{ ref('fct_vendas') }}
    where data_venda is not null
)

select
    mes_venda,
    count(*) as numero_vendas,
    sum(valor_venda) as total_vendas,
    cast(avg(valor_venda) as decimal(18, 2)) as valor_medio_venda
from vendas
group by mes_venda
