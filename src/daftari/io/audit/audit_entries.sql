-- The audit. See migrations/0007_audit.sql for its promises, docs/reference/audit-chain.md for the hashes.

-- name: make_partitions
select daftari.make_audit_partitions(%(first)s, %(months)s);

-- name: is_superuser
select rolsuper from pg_roles where rolname = current_user;

-- name: watches
-- The existing event triggers, and whether each fires always (A), as usual (O) or never (D).
select t.evtname, t.evtenabled::text
from pg_event_trigger t
join pg_proc p on p.oid = t.evtfoid
where p.pronamespace = to_regnamespace('daftari');

-- name: log
select log_id::text from daftari.audit_log;

-- name: partitions
-- Each partition of the audit by its month (empty: the default one), and whether it has rows.
select p.relname, coalesce(replace(substring(c.relname from '_(\d{4}_\d{2})$'), '_', '-'), ''), c.relname
from pg_inherits h
join pg_class c on c.oid = h.inhrelid
join pg_class p on p.oid = h.inhparent
where p.relnamespace = to_regnamespace('daftari')
  and p.relname in ('audit_entry', 'audit_row')
  and c.relkind in ('r', 'f')
order by c.relname;

-- name: count_partition
-- An exact count of all rows: an emptied partition must not look like one with rows.
select count(*) from {partition};

-- name: links
-- The chain, each link with its entry; then entries without a link. All as the texts that are hashed.
select l.position::text, l.entry_id::text, to_char(l.at at time zone 'UTC', 'YYYY-MM'), l.entry_hash, l.hash,
       e.entry_id::text, to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), e.operation, e.relation,
       e.actor, e.login, e.role, e.purpose, e.run_id::text, e.request_id, array_to_json(e.key)::text,
       e.rows::text, e.digest, e.detail::text, p.entry_id::text
from daftari.audit_link l
full join daftari.audit_entry e on e.entry_id = l.entry_id
left join daftari.audit_pending p on p.entry_id = e.entry_id
order by l.position nulls last, e.entry_id;

-- name: rows
select r.old, r.new
from daftari.audit_row r
where r.entry_id = %(entry_id)s::bigint
order by r.n;

-- name: chain
select daftari.chain_audit();

-- name: head
select l.position, l.hash
from daftari.audit_link l
order by l.position desc
limit 1;

-- name: link_at
select l.hash from daftari.audit_link l where l.position = %(position)s;

-- name: checkpoints
select c.position::text, c.hash from daftari.audit_checkpoint c order by c.position;

-- name: last_checkpoint
select max(c.signed_at) from daftari.audit_checkpoint c;

-- name: record_checkpoint
insert into daftari.audit_checkpoint (position, hash, signed_at, signature)
values (%(position)s, %(hash)s, %(signed_at)s, %(signature)s)
on conflict (position) do nothing;

-- name: entries
-- Entries as people see them, newest first.
select e.entry_id, e.at, e.operation, e.relation, e.actor, e.login, e.role, e.purpose, e.run_id, e.request_id, e.rows,
       e.detail, l.position
from daftari.audit_entry e
left join daftari.audit_link l on l.entry_id = e.entry_id
where (%(relation)s::text is null or e.relation = %(relation)s)
  and (%(run_id)s::bigint is null or e.run_id = %(run_id)s)
  and (%(actor)s::text is null or e.actor = %(actor)s)
order by e.entry_id desc
limit %(limit)s;
