-- Rows that are all new, and the run that writes them, in one transaction. See io/write/optimistic_insert.py.

-- name: begin
-- No row where the database has another contract, or a request is being processed by another session or was before.
-- The locks of requests are those of idempotency.sql, which last longer. A session that released one after this
-- statement began has stored an answer that this statement does not see; storing this one then fails on its key.
-- The run is invisible until its transaction ends.
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
select run_id, set_config('daftari.run_id', run_id::text, true)
from started;

-- name: insert
-- In the caller's role. A row whose key, or other unique value, exists already is left out, and is missed.
-- In order of their keys: two sessions that write the same rows would otherwise deadlock.
insert into {table} ({columns})
select {columns} from {stage}
order by {order}
{otherwise};

-- name: end
with finished as (
    update daftari.run
    set status = 'succeeded', finished_at = clock_timestamp(),
        received = %(received)s, inserted = %(inserted)s, duplicate = %(duplicate)s, superseded = %(superseded)s
    where run_id = %(run_id)s
)
insert into daftari.stored_answer (caller, key, fingerprint, run_id, answer)
select a.caller, a.key, a.fingerprint, %(run_id)s, a.answer
from unnest(%(callers)s::text[], %(keys)s::text[], %(fingerprints)s::text[], %(answers)s::text[]::jsonb[])
     as a(caller, key, fingerprint, answer);
