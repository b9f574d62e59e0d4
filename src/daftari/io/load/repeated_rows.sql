-- Rows of one load that a table without a key has already. io/load/repeated_rows.py fills in identifiers in braces.

-- name: repeated_rows
-- Each earlier row stands for one new row of the same content: three equal payments are three payments.
select count(*) from (
    select {fields} from {table} where _run_id = %(run_id)s
    intersect all
    select {fields} from {table} where _run_id <> %(run_id)s
) same;

-- name: earlier_runs
-- The runs that those earlier rows came from, the one with the most rows first.
select _run_id, count(*) as rows
from {table}
where _run_id <> %(run_id)s
  and hashtextextended(row({fields})::text, 0) in (
      select hashtextextended(row({fields})::text, 0) from {table} where _run_id = %(run_id)s
  )
group by _run_id
order by rows desc, _run_id desc
limit 3;
