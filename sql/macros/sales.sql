{#- For the WHERE of a query on stg_vendas: the sale's vehicle, dealership, seller and client all exist. -#}
{%- macro sale_counts() -%}
    id_veiculos in (select veiculo_id from {{ ref('dim_veiculos') }})
    and id_concessionarias in (select concessionaria_id from {{ ref('dim_concessionarias') }})
    and id_vendedores in (select vendedor_id from {{ ref('dim_vendedores') }})
    and id_clientes in (select cliente_id from {{ ref('dim_clientes') }})
{%- endmacro -%}

{#- Hook of fct_vendas: cancelled sales, and those that have lost a dimension row, go. A table built anew has none. -#}
{%- macro delete_sales_that_no_longer_count() -%}
{%- if is_incremental() -%}
delete from {{ this }}
where venda_id not in (
    select id_vendas
    from {{ ref('stg_vendas') }}
    where {{ sale_counts() }}
)
{%- endif -%}
{%- endmacro -%}
