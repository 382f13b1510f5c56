-- No sale is paid above its vehicle's list price, or below the share of it that a seller may grant (var menor_preco).
select
    vendas.venda_id,
    vendas.veiculo_id,
    vendas.valor_venda,
    veiculos.valor_sugerido
from {{ ref('fct_vendas') }} as vendas
inner join {{ ref('dim_veiculos') }} as veiculos
    on vendas.veiculo_id = veiculos.veiculo_id
where vendas.valor_venda > veiculos.valor_sugerido
    or vendas.valor_venda < veiculos.valor_sugerido * {{ var('menor_preco') }}
