-- Statements over the ledger. See migrations/0001_ledger.sql for its promises.

-- name: known_file
-- The run that loaded this file into this dataset, if there is one.
select f.run_id, f.mapping_sha256,
       (select m.hash from daftari.contract_marker m where m.dataset = f.dataset) is distinct from r.contract_hash
           as has_other_contract,
       (
           select count(*)
           from daftari.quarantine q
           join daftari.run of_file on of_file.run_id = q.run_id
           where q.dataset = f.dataset
             and of_file.sha256 = f.sha256
             and q.resolved_by is null
       ) as waiting
from daftari.source_file f
join daftari.run r on r.run_id = f.run_id
where f.dataset = %(dataset)s
  and f.sha256 = %(sha256)s;

-- name: known_sheets
select f.sha256, f.sheet
from daftari.source_file f
where f.dataset = %(dataset)s
  and f.sha256 = any(%(digests)s);

-- name: contract_in_force
select m.hash from daftari.contract_marker m where m.dataset = %(dataset)s;

-- name: holds_rows_back
-- A row where this session might see only part of a governed table: policies apply to it, and none shows every row.
select true
from pg_class c
where c.relnamespace = to_regnamespace('ops')
  and c.relname = %(dataset)s
  and c.relkind in ('r', 'p')
  and row_security_active(c.oid)
  and (
      exists (select from pg_policy p where p.polrelid = c.oid and not p.polpermissive)
      or not exists (
          select from pg_policy p
          cross join unnest(p.polroles) r
          where p.polrelid = c.oid
            and p.polcmd = '*'
            and (r = 0 or pg_has_role(r, 'usage'))
            and pg_get_expr(p.polqual, p.polrelid) = 'true'
      )
  );

-- name: start_run
-- The run belongs to this login and this session, which names it to the audit.
with started as (
    insert into daftari.run (kind, dataset, contract_hash, source, sha256, session_began)
    values (
        %(kind)s, %(dataset)s, %(contract_hash)s, %(source)s, %(sha256)s,
        (select a.backend_start from pg_stat_activity a where a.pid = pg_backend_pid())
    )
    returning run_id
)
select run_id, set_config('daftari.run_id', run_id::text, false)
from started;

-- name: abandon_dead_runs
-- A run whose session is gone had no effect: its transaction was never committed.
update daftari.run r
set status = 'abandoned', finished_at = clock_timestamp(), error_code = 'session_lost'
where r.status = 'running'
  and r.dataset is not distinct from %(dataset)s
  and not daftari.lives(r);

-- name: finish_run
update daftari.run
set status = 'succeeded', finished_at = clock_timestamp(),
    received = %(received)s, inserted = %(inserted)s, updated = %(updated)s,
    unchanged = %(unchanged)s, duplicate = %(duplicate)s, superseded = %(superseded)s,
    quarantined = %(quarantined)s
where run_id = %(run_id)s;

-- name: record_reading
update daftari.run
set left_out = %(left_out)s, remarks = %(remarks)s
where run_id = %(run_id)s;

-- name: fail_run
update daftari.run
set status = %(status)s, finished_at = clock_timestamp(), error_code = %(error_code)s
where run_id = %(run_id)s
  and status = 'running';

-- name: release_run
select set_config('daftari.run_id', '', false);

-- name: record_file
-- A second load of the same content takes the place of the first; a replay leaves the record unchanged.
insert into daftari.source_file
    (dataset, sha256, run_id, name, path, bytes, mapping, mends_sha256, mapping_sha256, sheet)
values
    (%(dataset)s, %(sha256)s, %(run_id)s, %(name)s, %(path)s, %(bytes)s, %(mapping)s, %(corrects)s,
     %(mapping_sha256)s, %(sheet)s)
on conflict (dataset, sha256) do update
set run_id = excluded.run_id, name = excluded.name, path = excluded.path, mapping = excluded.mapping,
    mapping_sha256 = excluded.mapping_sha256, sheet = excluded.sheet
where %(is_replay)s = false;

-- name: changed_since
-- Rows that a file wrote and that were changed or removed later: how many, and the latest run that did so, if a run
-- did. What an undo reversed does not count.
with of_file as (
    select r.run_id
    from daftari.run r
    where r.dataset = %(dataset)s
      and r.sha256 = %(sha256)s
      and r.status = 'succeeded'
)
select count(*), max(e.run_id)
from daftari.audit_entry e
join daftari.audit_row a on a.entry_id = e.entry_id and a.at = e.at
where e.relation = 'ops.' || %(dataset)s
  and e.operation in ('update', 'delete')
  and e.at >= (select r.started_at from daftari.run r where r.run_id = %(run_id)s)
  and e.run_id is distinct from %(run_id)s
  and (a.old::jsonb ->> '_run_id')::bigint in (select run_id from of_file)
  and not exists (
      select from daftari.run u
      where u.kind = 'undo' and u.status = 'succeeded' and e.run_id in (u.run_id, u.undoes)
  )
having count(*) > 0;

-- name: record_batch
-- The run is the one that the session holds.
select daftari.record_batch(%(relation)s, %(operation)s, %(rows)s, %(digest)s);

-- name: reasons_of
-- Why rows of one run were rejected, most frequent first. Where reasons of a rule differ only in what follows a colon,
-- such as the line of the cause, it is left out; where records differ only in the lines that they span, so are these.
select rule, min(field) as field,
       case when min(reason) = max(reason) then min(reason) else split_part(min(reason), ':', 1) end as reason,
       count(*) as rows, min(line) as line
from (
    select one ->> 'rule' as rule, one ->> 'field' as field,
           case one ->> 'rule' when 'shape' then regexp_replace(one ->> 'reason', ' \(lines .*', '')
                               else one ->> 'reason' end as reason,
           q.line
    from daftari.quarantine q
    cross join lateral jsonb_array_elements(q.reasons) as one
    where q.run_id = %(run_id)s
) given
group by rule, split_part(reason, ':', 1)
order by rows desc, rule, line;
