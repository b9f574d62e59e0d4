-- Rows that are all new, and the run that brings them, in one transaction. See io/all_new.py.

-- name: begin
-- No row where the database has another contract, or a request is being answered by another session or was before.
-- The locks of requests are those of answers.sql, which keep for longer. Who let go of one since this statement began
-- has kept an answer that it does not see; that meets its key when this one is to be kept.
-- Of the run nothing is seen until its transaction ends.
with started as (
    insert into daftari.run (kind, dataset, contract_hash, source, sha256)
    select 'write', %(dataset)s, %(contract_hash)s, 'api', %(sha256)s
    where exists (select from daftari.contract_marker m where m.dataset = %(dataset)s and m.hash = %(contract_hash)s)
      and (
          select coalesce(bool_and(pg_try_advisory_xact_lock(
                     hashtextextended('daftari.answer ' || c.caller || ' ' || c.key, 0))), true)
          from unnest(%(callers)s::text[], %(keys)s::text[]) as c(caller, key)
      )
      and not exists (
          select from unnest(%(callers)s::text[], %(keys)s::text[]) as c(caller, key)
          join daftari.stored_answer s using (caller, key)
      )
    returning run_id
)
select run_id, pg_advisory_xact_lock(hashtext('daftari.run'), run_id::int),
       set_config('daftari.run_id', run_id::text, true)
from started;

-- name: insert
-- Of the caller's role. Whose key, or other value that only one may have, is there already stays out, and is missed.
-- In the order of their keys: two sessions that bring the same rows would else wait for each other.
insert into {table} (_run_id{columns})
select current_setting('daftari.run_id')::bigint{columns} from {stage}
order by {order}
on conflict do nothing;

-- name: end
with finished as (
    update daftari.run
    set status = 'succeeded', finished_at = clock_timestamp(),
        received = %(received)s, inserted = %(inserted)s, duplicate = %(duplicate)s
    where run_id = %(run_id)s
)
insert into daftari.stored_answer (caller, key, fingerprint, run_id, answer)
select a.caller, a.key, a.fingerprint, %(run_id)s, a.answer
from unnest(%(callers)s::text[], %(keys)s::text[], %(fingerprints)s::text[], %(answers)s::text[]::jsonb[])
     as a(caller, key, fingerprint, answer);
