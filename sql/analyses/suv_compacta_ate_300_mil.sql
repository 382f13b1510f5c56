-- Compact SUVs that cost less than 300 000.
select veiculo_id, nome_veiculo, tipo, valor_sugerido
from {{ ref('dim_veiculos') }}
where tipo = 'SUV Compacta'
    and valor_sugerido < 300000
order by valor_sugerido, veiculo_id
