-- Vehicles added in the last two months.
select veiculo_id, nome_veiculo, tipo, valor_sugerido, data_inclusao
from {{ ref('dim_veiculos') }}
where data_inclusao >= dateadd(month, -2, current_date)
order by data_inclusao desc, veiculo_id
