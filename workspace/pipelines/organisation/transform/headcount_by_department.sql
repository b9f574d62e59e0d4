-- Grain: one month and department with at least one person, or with a person who joined or
-- left, from the first hire to the month in which the dataset users last changed: later
-- months are unknown. No column is null.
--
-- A person counts in their current department; moves between departments are not recorded.
{{ config(indexes=[{'columns': ['month', 'department_code'], 'unique': true}]) }}

with people as (
    select
        user_id,
        department_code,
        cast(date_trunc('month', cast(hired_on as timestamp)) as date) as hired_month,
        cast(date_trunc('month', cast(left_on as timestamp)) as date) as left_month,
        updated_at
    from {{ ref('stg_users') }}
),

known as (
    select date_trunc('month', max(updated_at) at time zone '{{ var("time_zone") }}') as until
    from people
),

present as (
    select
        people.department_code,
        people.hired_month,
        people.left_month,
        cast(month as date) as month
    from people
    cross join known
    cross join lateral generate_series(
        cast(people.hired_month as timestamp),
        least(cast(people.left_month as timestamp), known.until),
        interval '1 month'
    ) as month
)

select
    month,
    department_code,
    count(*) filter (where left_month is null or left_month > month) as headcount,
    count(*) filter (where hired_month = month) as hired,
    count(*) filter (where left_month = month) as departed
from present
group by month, department_code
