-- Grain: one month and status that has at least one record. No column is null.
{{ config(indexes=[{'columns': ['month', 'status'], 'unique': true}]) }}

select
    cast(date_trunc('month', cast(recorded_on as timestamp)) as date) as month,
    status,
    count(*) as records,
    sum(quantity) as quantity
from {{ ref('stg_$dataset') }}
group by 1, 2
