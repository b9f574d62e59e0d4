-- Grain: one month, department and currency that has at least one expense.
-- No column is null: if nothing was spent, the sum is 0.
--
-- Approved and paid expenses are spent; submitted ones are pending; rejected ones are
-- counted but not summed. Amounts of different currencies are never added up.
--
-- Incremental by month. A month is rebuilt when its number of rows has changed (rows were
-- inserted, deleted, or moved to another month), or when one of its rows was updated later
-- than the newest update that the mart has seen, minus a day. The day covers a load that
-- began before the last build and ended after it.
{% set forget_changed_months %}{% raw %}
    {% if is_incremental() %}
    delete from {{ this }}
    where month not in (
        select known.month
        from (
            select month, sum(source_rows) as source_rows from {{ this }} group by month
        ) as known
        inner join (
            select
                cast(date_trunc('month', cast(spent_on as timestamp)) as date) as month,
                count(*) as source_rows,
                max(updated_at) as last_updated_at
            from {{ ref('stg_expenses') }}
            group by 1
        ) as found on found.month = known.month
        where found.source_rows = known.source_rows
            and found.last_updated_at <= (select max(last_updated_at) - interval '1 day' from {{ this }})
    )
    {% endif %}
{% endraw %}{% endset %}

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=forget_changed_months,
    indexes=[{'columns': ['month', 'department_code', 'currency'], 'unique': true}],
) }}

with expenses as (
    select
        cast(date_trunc('month', cast(spent_on as timestamp)) as date) as month,
        department_code,
        currency,
        status,
        amount,
        updated_at
    from {{ ref('stg_expenses') }}
)

select
    month,
    department_code,
    currency,
    count(*) filter (where status in ('approved', 'paid')) as expenses,
    cast(coalesce(sum(amount) filter (where status in ('approved', 'paid')), 0) as numeric(20, 2)) as spent,
    count(*) filter (where status = 'submitted') as pending_expenses,
    cast(coalesce(sum(amount) filter (where status = 'submitted'), 0) as numeric(20, 2)) as pending,
    count(*) filter (where status = 'rejected') as rejected_expenses,
    count(*) as source_rows,
    max(updated_at) as last_updated_at
from expenses
{% if is_incremental() %}
where month not in (select month from {{ this }})
{% endif %}
group by month, department_code, currency
