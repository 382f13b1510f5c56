{#-
    For the WHERE of a query on stg_vendas: the sale's vehicle, dealership, seller and client all exist. EXISTS rather than IN or a join:
    with 5 M sales DuckDB needs half the memory for it, and a key that stands twice in a dimension does not double the sale.
-#}
{%- macro sale_counts(sales) -%}
    exists (select 1 from {{ ref('dim_veiculos') }} as d where d.veiculo_id = {{ sales }}.id_veiculos)
    and exists (select 1 from {{ ref('dim_concessionarias') }} as d where d.concessionaria_id = {{ sales }}.id_concessionarias)
    and exists (select 1 from {{ ref('dim_vendedores') }} as d where d.vendedor_id = {{ sales }}.id_vendedores)
    and exists (select 1 from {{ ref('dim_clientes') }} as d where d.cliente_id = {{ sales }}.id_clientes)
{%- endmacro -%}

{#- Hook of fct_vendas: cancelled sales, and those that have lost a dimension row, go. A table built anew has none. -#}
{%- macro delete_sales_that_no_longer_count() -%}
{%- if is_incremental() -%}
delete from {{ this }}
where not exists (
    select 1
    from {{ ref('stg_vendas') }} as vendas
    where vendas.id_vendas = venda_id
    and {{ sale_counts('vendas') }}
)
{%- endif -%}
{%- endmacro -%}
