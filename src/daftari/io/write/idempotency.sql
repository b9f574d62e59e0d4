-- Stored answers of requests with an idempotency key. See migrations/0012_written_by_callers.sql.

-- name: claim
-- Whether this session is the one that processes the request.
select pg_try_advisory_lock(hashtextextended('daftari.answer ' || c.caller || ' ' || c.key, 0))
from unnest(%(callers)s::text[], %(keys)s::text[]) with ordinality as c(caller, key, at)
order by c.at;

-- name: kept
-- The stored answers. Read after the claim: a session that released one has stored its answer.
select s.fingerprint, s.run_id, s.answer
from unnest(%(callers)s::text[], %(keys)s::text[]) with ordinality as c(caller, key, at)
left join daftari.stored_answer s using (caller, key)
order by c.at;

-- name: release
select pg_advisory_unlock(hashtextextended('daftari.answer ' || c.caller || ' ' || c.key, 0))
from unnest(%(callers)s::text[], %(keys)s::text[]) as c(caller, key);

-- name: keep
insert into daftari.stored_answer (caller, key, fingerprint, run_id, answer)
select a.caller, a.key, a.fingerprint, %(run_id)s, a.answer
from unnest(%(callers)s::text[], %(keys)s::text[], %(fingerprints)s::text[], %(answers)s::jsonb[])
     as a(caller, key, fingerprint, answer);

-- name: forget
delete from daftari.stored_answer where at < %(before)s;
