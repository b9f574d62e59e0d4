-- Grain: one month and department in which somebody was paid. No column is null.
--
-- A person's pay counts in the person's current department.
-- The employer pays the same amount as the employee into the National Social Security Fund
-- (NSSF Act 2013, s. 20) and the housing levy (Affordable Housing Act 2024, s. 4).
{{ config(indexes=[{'columns': ['month', 'department_code'], 'unique': true}]) }}

select
    salaries.month,
    users.department_code,
    count(*) as people,
    sum(salaries.gross) as gross,
    sum(salaries.paye + salaries.nssf + salaries.shif + salaries.housing_levy) as statutory_deductions,
    sum(salaries.deductions) as other_deductions,
    sum(salaries.net) as net,
    sum(salaries.nssf + salaries.housing_levy) as employer_contributions,
    sum(salaries.gross + salaries.nssf + salaries.housing_levy) as cost
from {{ ref('stg_salaries') }} as salaries
inner join {{ ref('stg_users') }} as users on users.user_id = salaries.user_id
group by salaries.month, users.department_code
