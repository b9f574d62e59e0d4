-- Staged rows that repeat a unique value. io/row_writing/repeats.py fills in identifiers in braces.

-- name: find_repeats
with staged as materialized (
    select s.*, row_number() over (order by s.ctid) as place from {stage} s where {among}
)
select {key}
from (
    select {staged_key},
           row_number() over (
               partition by s.{value} order by (own.{value} is not distinct from s.{value}) desc, s.place
           ) as rank,
           exists (
               select from {table} taken
               where taken.{value} = s.{value}
                 and not ({taken})
                 and not exists (select from staged o where {elsewhere})
           ) as is_taken
    from staged s
    left join {table} own on {own}
    where s.{value} is not null
) judged
where rank > 1 or is_taken;
