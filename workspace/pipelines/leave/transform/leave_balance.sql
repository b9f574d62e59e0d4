-- Grain: one person and calendar year, from the year the person was hired to the year
-- the person left, or otherwise to the year of the newest leave request or change of a
-- person. No column is null.
--
-- Only annual leave is charged against the entitlement. The days of a request over the end
-- of a year are divided between the years by their weekdays, in half days. Entitlement grows
-- with each month of service begun in the year: a twelfth of the year's days, 1.75 by law
-- (Employment Act 2007, s. 28(1)(b)).
{{ config(indexes=[{'columns': ['user_id', 'year'], 'unique': true}]) }}

with known as (
    select greatest(
        (select max(end_date) from {{ ref('stg_leave_requests') }}),
        (select cast(max(updated_at at time zone '{{ var("time_zone") }}') as date) from {{ ref('stg_users') }})
    ) as until
),

people as (
    select
        user_id,
        hired_on,
        coalesce(left_on, make_date(cast(extract(year from until) as integer), 12, 31)) as until
    from {{ ref('stg_users') }}
    cross join known
),

years as (
    select
        user_id,
        cast(year as integer) as year,
        case when year = extract(year from hired_on) then extract(month from hired_on) else 1 end as first_month,
        case when year = extract(year from until) then extract(month from until) else 12 end as last_month
    from people
    cross join lateral generate_series(
        cast(extract(year from hired_on) as integer), cast(extract(year from until) as integer)
    ) as year
),

annual as (
    select
        user_id,
        status,
        days,
        cast(year as integer) as year,
        -- weekdays from the start to the end, and to the end of this year and of the one before
        {{ weekdays('start_date', 'end_date') }} as in_all,
        {{ weekdays('start_date', 'least(end_date, make_date(cast(year as integer), 12, 31))') }} as until_its_end,
        {{ weekdays('start_date', 'make_date(cast(year as integer) - 1, 12, 31)') }} as before_it,
        year = extract(year from start_date) as is_first
    from {{ ref('stg_leave_requests') }}
    cross join lateral generate_series(
        cast(extract(year from start_date) as integer), cast(extract(year from end_date) as integer)
    ) as year
    where leave_type = 'annual'
),

charged as (
    select
        user_id,
        status,
        year,
        cast(
            case
                when in_all = 0 then case when is_first then days else 0 end
                else round(2 * days * until_its_end / in_all) / 2 - round(2 * days * before_it / in_all) / 2
            end as numeric(6, 1)
        ) as days
    from annual
),

requests as (
    select
        user_id,
        year,
        sum(days) filter (where status in ('approved', 'taken')) as taken,
        sum(days) filter (where status = 'requested') as pending
    from charged
    group by 1, 2
),

balances as (
    select
        years.user_id,
        years.year,
        round({{ var('leave_days_a_year') }} * (last_month - first_month + 1) / 12, 2) as entitlement,
        coalesce(requests.taken, 0) as taken,
        coalesce(requests.pending, 0) as pending
    from years
    left join requests on requests.user_id = years.user_id and requests.year = years.year
)

select
    user_id,
    year,
    entitlement,
    taken,
    pending,
    entitlement - taken - pending as balance
from balances
