-- Statements over the ledger. See migrations/0001_ledger.sql for its promises.

-- name: known_file
-- The run that loaded this file into this dataset, if there is one.
select f.run_id, f.name, f.loaded_at
from daftari.source_file f
where f.dataset = %(dataset)s
  and f.sha256 = %(sha256)s;

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
-- The session holds an advisory lock on the run's number while it lives, and names the run to the audit.
with started as (
    insert into daftari.run (kind, dataset, contract_hash, source, sha256)
    values (%(kind)s, %(dataset)s, %(contract_hash)s, %(source)s, %(sha256)s)
    returning run_id
)
select run_id, pg_advisory_lock(hashtext('daftari.run'), run_id::int),
       set_config('daftari.run_id', run_id::text, false)
from started;

-- name: abandon_dead_runs
-- A run whose session is gone had no effect: its transaction was never committed.
update daftari.run r
set status = 'abandoned', finished_at = clock_timestamp(), error_code = 'session_lost'
where r.status = 'running'
  and r.dataset is not distinct from %(dataset)s
  and not exists (
      select from pg_locks l
      where l.locktype = 'advisory'
        and l.classid = hashtext('daftari.run')::oid
        and l.objid = r.run_id::oid
        and l.objsubid = 2
        and l.database = (select oid from pg_database where datname = current_database())
  );

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
select pg_advisory_unlock(hashtext('daftari.run'), %(run_id)s::int), set_config('daftari.run_id', '', false);

-- name: record_file
-- A replay, or a second load of the same content, leaves the first record unchanged.
insert into daftari.source_file (dataset, sha256, run_id, name, path, bytes, mapping, mends_sha256)
values (%(dataset)s, %(sha256)s, %(run_id)s, %(name)s, %(path)s, %(bytes)s, %(mapping)s, %(corrects)s)
on conflict (dataset, sha256) do nothing;

-- name: record_batch
-- The run is the one that the session holds.
select daftari.record_batch(%(relation)s, %(operation)s, %(rows)s, %(digest)s);

-- name: reasons_of
-- Why rows of one run were rejected, most frequent first. Where the rows of a rule differ in what follows the colon,
-- such as the line of the cause, it is left out. Records of another shape are counted by their shape.
select reason ->> 'rule' as rule, min(reason ->> 'field') as field,
       case when min(reason ->> 'reason') = max(reason ->> 'reason') then min(reason ->> 'reason')
            else split_part(min(reason ->> 'reason'), ':', 1) end as reason,
       count(*) as rows, min(q.line) as line
from daftari.quarantine q
cross join lateral jsonb_array_elements(q.reasons) as reason
where q.run_id = %(run_id)s
group by reason ->> 'rule',
         case reason ->> 'rule' when 'shape' then regexp_replace(reason ->> 'reason', ' \(lines .*', '') end
order by rows desc, rule, line;
