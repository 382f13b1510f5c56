-- Dealerships with more than 500 sales.
select id, concessionaria, cidade, estado, quantidade, total
from {{ ref('analise_vendas_concessionaria') }}
where quantidade > 500
order by quantidade desc, id
