-- Writing rows into a governed table. io/load/bulk_load.py fills in identifiers in braces.

-- name: may_skip_key_triggers
-- Whether this session may check foreign keys itself and skip the server's row-by-row checks.
select has_parameter_privilege('session_replication_role', 'set');

-- name: is_held_by_policies
select row_security_active('ops.' || quote_ident(%(table)s));

-- name: merge_update
-- Merges the staged rows into the table; a known key takes the staged content. Returns rows inserted, updated,
-- unchanged, duplicate and superseded: of a key that this run has already written, the later content stays.
with incoming as materialized (
    select s.*, t._run_id as known_run, ({same}) as same
    from {stage} s
    left join {table} t on {match}
), inserted as (
    insert into {table} ({columns})
    select {columns} from incoming where known_run is null
), updated as (
    update {table} t
    set {assignments}, updated_at = now()
    from incoming s
    where {match} and s.known_run is not null and not s.same
)
select count(*) filter (where known_run is null),
       count(*) filter (where known_run <> %(run_id)s and not same),
       count(*) filter (where known_run <> %(run_id)s and same),
       count(*) filter (where known_run = %(run_id)s and same),
       count(*) filter (where known_run = %(run_id)s and not same)
from incoming;

-- name: merge_keep
-- The same where the first content stays.
with incoming as materialized (
    select s.*, t._run_id as known_run, ({same}) as same
    from {stage} s
    left join {table} t on {match}
), inserted as (
    insert into {table} ({columns})
    select {columns} from incoming where known_run is null
)
select count(*) filter (where known_run is null),
       0,
       count(*) filter (where known_run <> %(run_id)s and same),
       count(*) filter (where known_run = %(run_id)s and same),
       count(*) filter (where known_run is not null and not same)
from incoming;
