{#-
    Follows all that can happen to a sale, which `venda_id > max(venda_id)` does not: a corrected price comes with the batch that wrote the
    row; a sale whose vehicle, dealership, seller or client turned up later is one that is not here yet; a cancelled sale, or one that has
    lost one of the four, is deleted afterwards. Whatever happened in between, the result is what a full refresh would give.
-#}
{{
    config(
        materialized='incremental',
        unique_key='venda_id',
        on_schema_change='fail',
        post_hook=[
            '{{ delete_cancelled_sales() }}',
            '{{ delete_sales_that_lost_a_dimension() }}',
            '{{ delete_changed_sales_that_do_not_count() }}'
        ]
    )
}}

with vendas as (
    select *
    from {{ ref('stg_vendas') }}
    {%- if is_incremental() %}
    where id_vendas in (
        select id_vendas
        from {{ source('stage', 'vendas') }}
        where {{ changed_since_last_build() }}
        union all
        select candidates.id_vendas
        from {{ source('stage', 'vendas') }} as candidates
        where not exists (select 1 from {{ this }} as known where known.venda_id = candidates.id_vendas)
    )
    {%- endif %}
)

select
    vendas.id_vendas as venda_id,
    vendas.id_veiculos as veiculo_id,
    vendas.id_concessionarias as concessionaria_id,
    vendas.id_vendedores as vendedor_id,
    vendas.id_clientes as cliente_id,
    vendas.valor_venda,
    vendas.data_venda,
    vendas.data_inclusao,
    vendas.data_atualizacao
from vendas
where {{ sale_counts('vendas') }}
