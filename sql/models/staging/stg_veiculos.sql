select
    id_veiculos,
    nome,
    tipo,
    cast(valor as decimal(10, 2)) as valor,
    data_inclusao,
    coalesce(data_atualizacao, data_inclusao) as data_atualizacao
from {{ source('stage', 'veiculos') }}
