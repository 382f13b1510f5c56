select
    id_veiculos as veiculo_id,
    nome as nome_veiculo,
    tipo,
    valor as valor_sugerido,
    data_inclusao,
    data_atualizacao
from {{ ref('stg_veiculos') }}
