-- The audit. See migrations/0007_audit.sql for what it promises, docs/reference/audit-chain.md for the hashes.

-- name: make_partitions
select daftari.make_audit_partitions(%(first)s, %(months)s);

-- name: is_superuser
select rolsuper from pg_roles where rolname = current_user;

-- name: watches
-- Which event triggers there are, and whether each fires always (A), as usual (O) or never (D).
select t.evtname, t.evtenabled::text
from pg_event_trigger t
join pg_proc p on p.oid = t.evtfoid
where p.pronamespace = to_regnamespace('daftari');
