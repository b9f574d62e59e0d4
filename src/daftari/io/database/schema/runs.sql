-- Runs: what changed a dataset, what became of each received row, and which rows were rejected.

-- Every run starts as running, ends in one other state and stays there; a run whose process died is abandoned.
create type daftari.run_status as enum (
    'running',
    'succeeded',
    'refused',
    'failed',
    'abandoned'
);

-- One row for each run. All effects of a run are in one transaction with its counts, so the counts are reliable.
create table daftari.run (
    run_id        bigint      generated always as identity primary key,
    kind          text        not null
        check (kind in ('load', 'replay', 'transform', 'check', 'pipeline', 'undo', 'write')),
    dataset       text,
    status        daftari.run_status not null default 'running',
    actor         name        not null default session_user,
    contract_hash text,
    source        text,  -- the file's name, without its folders
    sha256        text,  -- of the file's bytes; of a sheet beside another one of its workbook: of both digest and name
    started_at    timestamptz not null default clock_timestamp(),
    finished_at   timestamptz,
    error_code    text,
    received      bigint      not null default 0 check (received >= 0),
    inserted      bigint      not null default 0 check (inserted >= 0),
    updated       bigint      not null default 0 check (updated >= 0),
    unchanged     bigint      not null default 0 check (unchanged >= 0),
    duplicate     bigint      not null default 0 check (duplicate >= 0),
    quarantined   bigint      not null default 0 check (quarantined >= 0),
    rejected_ratio numeric    -- 0 to 1; null where no row was received
        generated always as (case when received > 0 then round(quarantined::numeric / received, 6) end) stored,
    removed       bigint      not null default 0 check (removed >= 0),  -- rows that an undo deleted
    undoes        bigint      unique references daftari.run,  -- the run that this one undid
    superseded    bigint      not null default 0 check (superseded >= 0),  -- a later row of the same key was taken
    left_out      jsonb,  -- records of the file that are no rows, by what they are
    remarks       jsonb,  -- what was done with the file: [{kind, text, count, line, says}]
    session_pid   integer     default pg_backend_pid(),  -- of the server's process that the run is in
    session_began timestamptz,  -- null: it was not asked for

    -- Conservation: every received row is counted exactly once.
    constraint run_conserves_rows
        check (received = inserted + updated + unchanged + duplicate + superseded + quarantined + removed),
    constraint run_without_success_has_no_rows check (status = 'succeeded' or received = 0),
    constraint run_is_finished_or_running check ((status = 'running') = (finished_at is null)),
    constraint run_removes_only_to_undo check (removed = 0 or undoes is not null)
);

-- Whether the session that began a run is still there. Of another login's sessions the server does not show when they
-- began; then the process number and the login count.
create function daftari.lives(began_by daftari.run) returns boolean
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select from pg_stat_activity a
        where a.pid = began_by.session_pid
          and a.datname = current_database()
          and a.usename = began_by.actor
          and coalesce(a.backend_start = began_by.session_began, true)
    )
$$;

create index run_dataset on daftari.run (dataset, run_id);

-- Makes loading the same file again a no-op: the primary key admits a file's content once per dataset, under any name.
create table daftari.source_file (
    dataset      text        not null,
    sha256       text        not null,
    run_id       bigint      not null references daftari.run,
    name         text        not null,
    path         text,  -- where a replay finds it; null for standard input
    bytes        bigint      not null,
    mapping      text,  -- the source mapping that was used
    mends_sha256 text,  -- for a corrected export: the original file of its rows, whose formats they have
    loaded_at    timestamptz not null default now(),
    mapping_sha256 text,  -- of what decides how its columns map: the source mapping, or the pipeline's mappings
    sheet        text,  -- of a workbook: the one that was read
    primary key (dataset, sha256)
);

create index source_file_run_id on daftari.source_file (run_id);

-- Rejected rows, each with its reasons, until a run resolves them.
create table daftari.quarantine (
    quarantine_id bigint generated always as identity primary key,
    run_id        bigint not null references daftari.run,
    dataset       text   not null,
    line          bigint not null,  -- of the file: the first line of the record
    reasons       jsonb  not null check (jsonb_array_length(reasons) > 0),  -- [{rule, field, reason}]
    preview       jsonb,  -- the row as text, with *** for hidden values; null where no row could be read
    key           jsonb,  -- the primary key, where it could be read and may be shown
    resolved_by   bigint references daftari.run,
    replaces      bigint unique references daftari.quarantine,  -- the entry that was replayed and rejected again
    cells         bytea,

    constraint quarantine_line_is_once_a_run unique (run_id, line)
);

create index quarantine_open on daftari.quarantine (dataset, run_id) where resolved_by is null;
create index quarantine_resolved_by on daftari.quarantine (resolved_by);

comment on column daftari.quarantine.cells is
    'The row as it came, each value that could be read in its canonical form; JSON, sealed under the dataset''s key.';

-- What each run of a pipeline did, so that the next run continues at the first step that did not succeed.
create table daftari.pipeline_step (
    run_id      bigint      not null references daftari.run,
    pipeline    text        not null,
    step        text        not null check (step in ('load', 'check', 'transform', 'check_marts')),
    status      text        not null check (status in ('succeeded', 'failed', 'skipped')),
    error_code  text,
    started_at  timestamptz not null,
    finished_at timestamptz not null default clock_timestamp(),
    primary key (run_id, step),

    check ((status = 'failed') = (error_code is not null))
);

create index pipeline_step_latest on daftari.pipeline_step (pipeline, run_id desc);

-- Idempotency of the API: a caller who repeats a request with the same key gets the first answer again.
-- Not partitioned, because the primary key would then hold the month, and a key could be used once a month.
create table daftari.stored_answer (
    caller      text        not null,
    key         text        not null,
    fingerprint text        not null,  -- sha256 of the request: the same key with other records is refused
    run_id      bigint      not null references daftari.run,
    answer      jsonb       not null,  -- the outcome of each record; no values
    at          timestamptz not null default now(),
    primary key (caller, key)
);

create index stored_answer_at on daftari.stored_answer (at);
create index stored_answer_run_id on daftari.stored_answer (run_id);

comment on table daftari.stored_answer is 'Answers to callers who named their request, for when they ask again.';
