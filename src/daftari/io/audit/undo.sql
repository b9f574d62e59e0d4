-- Reversing a run from the audit. io/audit/undo.py fills in identifiers in braces.

-- name: run
select r.kind, r.dataset, r.status::text, r.inserted, r.updated, u.run_id as undone_by, r.started_at
from daftari.run r
left join daftari.run u on u.undoes = r.run_id
where r.run_id = %(run_id)s;

-- name: hold
-- Readers continue; writers wait until the undo ends.
lock table {table} in share row exclusive mode;

-- name: batch
-- The entry of the run's last batch. Later changes of its rows have later entries.
select max(e.entry_id)
from daftari.audit_entry e
where e.run_id = %(run_id)s
  and e.relation = %(relation)s
  and e.operation in ('insert', 'merge');

-- name: find_updated
-- Rows that the run updated, each with its first values of all that the run changed. A row without a former _run_id
-- was inserted by this run.
create temporary table daftari_undo on commit drop as
with changed as (
    select r.old::jsonb as old, r.new::jsonb as new, r.entry_id, r.n
    from daftari.audit_row r
    join daftari.audit_entry e using (entry_id, at)
    where e.run_id = {run_id}
      and e.relation = {relation}
      and e.operation = 'update'
), sides as (
    select distinct on (key, side.name) jsonb_build_array({key_of_old}) as key, side.name, side.value
    from changed c
    cross join lateral jsonb_each(c.old) as side(name, value)
    order by key, side.name, c.entry_id, c.n
), merged as (
    select key, jsonb_object_agg(name, value) as before from sides group by key
)
select (jsonb_populate_record(null::{table}, before)).*, before as daftari_before,
       before ? '_run_id' as daftari_was_there
from merged;

-- name: find_later
-- Keys of rows that were changed after the run. What an undo reversed does not count.
create temporary table daftari_later on commit drop as
select distinct (jsonb_populate_record(null::{table}, coalesce(r.old, r.new)::jsonb)).*,
       e.operation = 'delete' as daftari_is_gone
from daftari.audit_row r
join daftari.audit_entry e using (entry_id, at)
where e.entry_id > {batch}
  and e.relation = {relation}
  and e.run_id is distinct from {run_id}
  and not exists (
      select from daftari.run u
      where u.kind = 'undo' and u.status = 'succeeded' and e.run_id in (u.run_id, u.undoes)
  );

-- name: gone_fields
-- Fields that the run changed and the table lacks, and key fields that later entries do not name: they were renamed or
-- dropped since, so rows cannot be restored or found.
select distinct f.name
from daftari.audit_row r
join daftari.audit_entry e using (entry_id, at)
cross join lateral jsonb_object_keys(r.old::jsonb) f(name)
where e.run_id = {run_id} and e.relation = {relation} and e.operation = 'update' and f.name <> all({known})
union
select k.name
from unnest({keys}::text[]) k(name)
where exists (
    select from daftari.audit_row r
    join daftari.audit_entry e using (entry_id, at)
    where e.entry_id > {batch} and e.relation = {relation} and not coalesce(r.old, r.new)::jsonb ? k.name
)
order by 1;

-- name: in_the_way
-- Keys of the run's rows that were changed later. A row that only moved to another partition counts as unchanged.
select distinct {keys_of_later}
from daftari_later l
left join {table} t on {match_live}
left join daftari_undo u on {match_undo}
where l._run_id = {run_id} and not (l.daftari_is_gone and t._run_id is not distinct from {run_id})
   or t._run_id = {run_id} and not l.daftari_is_gone
   or u.daftari_before is not null and not (l.daftari_is_gone and t._run_id is not distinct from {run_id});

-- name: count
-- Rows of the run that are as it left them: inserted and updated ones.
select (
           select count(*) from {table} t
           where t._run_id = {run_id}
             and not exists (select from daftari_undo l where l.daftari_was_there and {match_live})
       ),
       (
           select count(*) from {table} t
           join daftari_undo l on {match_live}
           where t._run_id = {run_id} and l.daftari_was_there
       );

-- name: remove
delete from {table} t
where t._run_id = {run_id}
  and not exists (select from daftari_undo l where l.daftari_was_there and {match_live});

-- name: restore
update {table} t
set ({columns}) = (select {columns_of_before} from jsonb_populate_record(t, l.daftari_before) b)
from daftari_undo l
where {match_live}
  and l.daftari_was_there
  and t._run_id = {run_id};

-- name: forget_file
-- So that the file may be loaded again. A later load of the same content may have taken the record.
delete from daftari.source_file f
using daftari.run r
where r.run_id = %(undoes)s
  and f.dataset = r.dataset
  and f.sha256 = r.sha256
  and (f.run_id = r.run_id or r.kind = 'load');

-- name: close_quarantine
-- Rows that the run rejected need no correction any more.
update daftari.quarantine
set resolved_by = %(run_id)s
where run_id = %(undoes)s
  and resolved_by is null;

-- name: reopen_quarantine
-- Rows that the run had corrected wait again.
update daftari.quarantine
set resolved_by = null
where resolved_by = %(undoes)s;

-- name: finish
update daftari.run
set status = 'succeeded', finished_at = clock_timestamp(), undoes = %(undoes)s,
    received = %(removed)s + %(restored)s, removed = %(removed)s, updated = %(restored)s
where run_id = %(run_id)s;
