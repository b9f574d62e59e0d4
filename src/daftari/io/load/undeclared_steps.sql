-- Changes of state, from the audit. See io/load/undeclared_steps.py.

-- name: steps_taken
select r.old::jsonb ->> %(field)s as was, r.new::jsonb ->> %(field)s as becomes, count(*)
from daftari.audit_row r
join daftari.audit_entry e using (entry_id, at)
where e.run_id = %(run_id)s
  and e.relation = %(relation)s
  and e.operation = 'update'
  and r.old::jsonb ->> %(field)s <> r.new::jsonb ->> %(field)s
group by was, becomes
order by was, becomes;
