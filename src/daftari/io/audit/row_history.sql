-- The history of one row in the audit.

-- name: row
-- The current row: its key as the audit writes it, and when it was inserted.
select row_to_json(k)::text as key, t.created_at, t.updated_at, t._run_id
from {table} t
cross join lateral (select {key}) as k
where {condition};

-- name: changes
-- Entries since the row was inserted; earlier partitions are not read.
select e.entry_id, e.at, e.operation, e.actor, e.run_id, r.old, r.new
from daftari.audit_row r
join daftari.audit_entry e on e.entry_id = r.entry_id and e.at = r.at
where r.at >= %(since)s
  and e.at >= %(since)s
  and e.relation = %(relation)s
  and r.old::jsonb @> %(key)s::jsonb
order by e.entry_id desc
limit %(limit)s;
