-- The ledger: every run that touched a dataset, what became of each row it received, and what it refused.
--
-- Promises, each with a test of the same name in tests/db/test_ledger.py:
--   1. received rows are accounted for: inserted + updated + unchanged + duplicate + quarantined;
--   2. a file is loaded into a dataset once, whatever its name;
--   3. a quarantined row is resolved by one run at the most.

create type daftari.run_status as enum ('running', 'succeeded', 'refused', 'failed', 'abandoned');

create table daftari.run (
    run_id        bigint generated always as identity primary key,
    kind          text        not null check (kind in ('load', 'replay', 'transform', 'check', 'pipeline')),
    dataset       text,
    status        daftari.run_status not null default 'running',
    actor         name        not null default session_user,
    contract_hash text,
    source        text,  -- the file's name, without its folders
    sha256        text,  -- of the file's bytes
    started_at    timestamptz not null default clock_timestamp(),
    finished_at   timestamptz,
    error_code    text,
    received      bigint      not null default 0 check (received >= 0),
    inserted      bigint      not null default 0 check (inserted >= 0),
    updated       bigint      not null default 0 check (updated >= 0),
    unchanged     bigint      not null default 0 check (unchanged >= 0),
    duplicate     bigint      not null default 0 check (duplicate >= 0),
    quarantined   bigint      not null default 0 check (quarantined >= 0),

    -- the conservation law
    constraint run_conserves_rows
        check (received = inserted + updated + unchanged + duplicate + quarantined),
    -- only a run that succeeded has rows: all its effects are in one transaction with its counts
    constraint run_without_success_has_no_rows check (status = 'succeeded' or received = 0),
    constraint run_is_finished_or_running check ((status = 'running') = (finished_at is null))
);

create index run_dataset on daftari.run (dataset, run_id);

create table daftari.source_file (
    dataset text        not null,
    sha256  text        not null,
    run_id  bigint      not null references daftari.run,
    name    text        not null,
    path    text,  -- where it was read from, so that a replay finds it; null for standard input
    bytes   bigint      not null,
    mapping text,  -- the source mapping that was used
    -- of a mended export: the file that its rows first came from, whose forms they are written in
    mends_sha256 text,
    loaded_at timestamptz not null default now(),
    primary key (dataset, sha256)
);

create index source_file_run_id on daftari.source_file (run_id);

create table daftari.quarantine (
    quarantine_id bigint generated always as identity primary key,
    run_id        bigint not null references daftari.run,
    dataset       text   not null,
    line          bigint not null,  -- the record's first line in its file
    reasons       jsonb  not null check (jsonb_array_length(reasons) > 0),  -- [{rule, field, reason}]
    preview       jsonb,  -- the row as text, with *** for what may not be shown; null for a shapeless record
    key           jsonb,  -- the primary key where it could be read and may be shown
    resolved_by   bigint references daftari.run,
    replaces      bigint unique references daftari.quarantine,  -- the entry that was replayed, and refused again

    constraint quarantine_line_is_once_a_run unique (run_id, line)
);

create index quarantine_open on daftari.quarantine (dataset, run_id) where resolved_by is null;
create index quarantine_resolved_by on daftari.quarantine (resolved_by);

-- One row a batch of inserts: the rows themselves are the record, and their _run_id ties them to it.
create table daftari.batch_audit (
    run_id     bigint not null references daftari.run,
    relation   text   not null,
    operation  text   not null check (operation in ('insert', 'merge')),
    rows       bigint not null check (rows >= 0),
    digest     text   not null,  -- sha256 of the rows as they were sent
    actor      name   not null default session_user,
    at         timestamptz not null default now(),
    primary key (run_id, relation)
);
