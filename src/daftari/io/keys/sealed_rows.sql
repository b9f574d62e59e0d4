-- Sealed values in governed tables. io/keys/sealed_rows.py fills in identifiers in braces. In a sealed value, bytes
-- 3 to 10 are the id of its key and 11 and 12 the version; docs/decisions/0008.

-- name: see_all
-- A policy that would hide rows makes a rotation fail instead of skipping them.
set local row_security = off;

-- name: counts
select count(*), count(*) filter (where substr({field}, 11, 2) < %(version)s)
from {table}
where {field} is not null;

-- name: some
-- Rows with a value under an earlier version, locked; values with destroyed keys do not count.
select tableoid::bigint, ctid::text, {columns}
from {table}
where {outdated}
limit %(limit)s
for update;

-- name: outdated
substr({field}, 11, 2) < %(version)s and substr({field}, 3, 8) <> all (%(gone)s)

-- name: reseal
update {table} t
set {assignments}
from {stage} r
where t.tableoid = r.place::oid and t.ctid = r.at::tid;
