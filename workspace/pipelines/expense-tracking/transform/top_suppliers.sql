-- Grain: one calendar year, currency and supplier with an approved or paid expense.
-- Expenses without a supplier have no row here. share is the part of all expenses of the year and
-- currency, including those; it is null if they add up to 0 or less.
{{ config(indexes=[{'columns': ['year', 'currency', 'supplier'], 'unique': true}]) }}

with spent as (
    select
        cast(extract(year from spent_on) as integer) as year,
        currency,
        supplier,
        count(*) as expenses,
        sum(amount) as spent
    from {{ ref('stg_expenses') }}
    where status in ('approved', 'paid')
    group by 1, 2, 3
),

totals as (
    select
        *,
        sum(spent) over (partition by year, currency) as total
    from spent
)

select
    year,
    currency,
    supplier,
    expenses,
    spent,
    case when total > 0 then round(spent / total, 4) end as share,
    rank() over (partition by year, currency order by spent desc) as place
from totals
where supplier is not null
