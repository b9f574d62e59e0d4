-- Grain: one quarter and severity in which an incident was opened.
-- The hours and the share are null while none of the incidents is resolved: unknown is
-- not 0. An incident counts in the quarter in which it was opened.
{{ config(indexes=[{'columns': ['quarter', 'severity'], 'unique': true}]) }}

with incidents as (
    select
        cast(date_trunc('quarter', opened_at at time zone '{{ var("time_zone") }}') as date) as quarter,
        severity,
        resolved_at,
        extract(epoch from resolved_at - opened_at) / 3600 as hours,
        case severity
            {% for severity, hours in var('resolution_target_hours').items() -%}
            when '{{ severity }}' then {{ hours }}
            {% endfor %}
        end as target_hours
    from {{ ref('stg_incidents') }}
)

select
    quarter,
    severity,
    count(*) as incidents,
    count(resolved_at) as resolved,
    round(cast(percentile_cont(0.5) within group (order by hours) as numeric), 2) as median_hours,
    round(cast(percentile_cont(0.9) within group (order by hours) as numeric), 2) as p90_hours,
    round(
        cast(count(*) filter (where hours <= target_hours) as numeric) / nullif(count(resolved_at), 0), 4
    ) as share_within_target
from incidents
group by quarter, severity
