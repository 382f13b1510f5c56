-- The dearest vehicle of each type; all of them where several share the price.
select tipo, veiculo_id, nome_veiculo, valor_sugerido
from {{ ref('dim_veiculos') }}
qualify rank() over (partition by tipo order by valor_sugerido desc) = 1
order by valor_sugerido desc, veiculo_id
