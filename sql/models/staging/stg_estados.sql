select
    id_estados,
    upper(estado) as estado,
    upper(sigla) as sigla,
    data_inclusao,
    coalesce(data_atualizacao, data_inclusao) as data_atualizacao
from {{ source('stage', 'estados') }}
