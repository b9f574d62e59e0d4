-- Staged rows that repeat a unique value. io/row_writing/repeats.py fills in identifiers in braces.

-- name: find_repeats
-- A load has no hash joins: each row looks up its own existing row and its value by an index, and the values that
-- staged rows hold now are a list that is hashed.
with staged as materialized (
    select s.*, row_number() over (order by s.ctid) as place from {stage} s where {among}
), paired as materialized (
    select {line} as _line, s.place, s.{value} as value, own.{value} as held
    from staged s
    left join {table} own on {own}
)
select {number}
from (
    select _line, place,
           row_number() over (
               partition by value order by (held is not distinct from value) desc, place
           ) as rank,
           held is distinct from value
               and value not in (select p.held from paired p where p.held is not null)
               and exists (select from {table} taken where taken.{value} = paired.value) as is_taken
    from paired
    where value is not null
) judged
where rank > 1 or is_taken;
