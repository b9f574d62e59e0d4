-- Grain: one month, category and currency with an approved or paid expense.
-- share is null if the expenses of the month and currency add up to 0 or less, which is
-- possible with credits: a share of that has no meaning.
{{ config(indexes=[{'columns': ['month', 'category', 'currency'], 'unique': true}]) }}

with spent as (
    select
        cast(date_trunc('month', cast(spent_on as timestamp)) as date) as month,
        category,
        currency,
        count(*) as expenses,
        sum(amount) as spent
    from {{ ref('stg_expenses') }}
    where status in ('approved', 'paid')
    group by 1, 2, 3
),

totals as (
    select
        *,
        sum(spent) over (partition by month, currency) as total
    from spent
)

select
    month,
    category,
    currency,
    expenses,
    spent,
    case when total > 0 then round(spent / total, 4) end as share
from totals
