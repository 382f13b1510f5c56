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
        post_hook='{{ delete_sales_that_no_longer_count() }}'
    )
}}

select
    id_vendas as venda_id,
    id_veiculos as veiculo_id,
    id_concessionarias as concessionaria_id,
    id_vendedores as vendedor_id,
    id_clientes as cliente_id,
    valor_venda,
    data_venda,
    data_inclusao,
    data_atualizacao
from {{ ref('stg_vendas') }}
where {{ sale_counts() }}
{%- if is_incremental() %}
    and id_vendas in (
        select id_vendas
        from {{ source('stage', 'vendas') }}
        where {{ changed_since_last_build() }}
            or id_vendas not in (select venda_id from {{ this }})
    )
{%- endif %}
