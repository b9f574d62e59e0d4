-- Staging tables, where rows are compared with their table. io/row_writing/staging.py fills in identifiers in braces.

-- name: is_made
select to_regclass(%(stage)s) is not null;

-- name: make_for_transaction
create temporary table {stage} on commit drop as
select {columns}, _run_id from {table} with no data;

-- name: make_for_session
-- For a session that writes many times. The caller's role reads it; other sessions cannot.
create temporary table {stage} on commit delete rows as
select {columns}, null::bigint as _line from {table} with no data;
grant select on {stage} to public;
