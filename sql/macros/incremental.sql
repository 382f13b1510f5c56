{#-
    For the WHERE of an incremental model: true for the rows of a stage table that a batch wrote since this model was last built.
    The runtime keeps the last batch that each model has seen in pipeline.model_builds; a model that is not there yet gets all rows.
-#}
{%- macro changed_since_last_build(batch_column='_batch_id') -%}
    {{ batch_column }} > coalesce(
            (select max(batch_id) from {{ source('pipeline', 'model_builds') }} where lower(model) = lower('{{ this.identifier }}')),
            -1
        )
{%- endmacro -%}
