-- Results of quality checks: counts, and keys of some failing rows where those may be shown; never a row's value.

-- not_evaluated is a separate verdict, so that a check that tested nothing does not pass.
create type daftari.verdict as enum (
    'passed',
    'failed',
    'warned',
    'not_evaluated'
);

-- One check of one dataset. Its constraint prevents an empty table from passing.
create table daftari.check_run (
    run_id        bigint          primary key references daftari.run,
    dataset       text            not null,
    contract_hash text            not null,
    verdict       daftari.verdict not null,
    rows          bigint          check (rows >= 0),  -- in the table; null where they could not be counted
    started_at    timestamptz     not null,
    finished_at   timestamptz     not null default clock_timestamp(),

    constraint check_run_without_rows_is_no_pass check (verdict <> 'passed' or rows > 0)
);

create index check_run_dataset on daftari.check_run (dataset, run_id);

comment on table daftari.check_run is 'One check of one dataset, and what it came to.';

-- One result for each check of the contract, so that a page can compare runs.
create table daftari.check_result (
    run_id        bigint           not null references daftari.check_run,
    check_id      text             not null,
    position      integer          not null,  -- in the suite
    field         text,  -- null for a check of whole rows or of the table
    description   text             not null,
    verdict       daftari.verdict  not null,
    reason        text             not null,
    tested        bigint           not null check (tested >= 0),
    failing       bigint           not null check (failing >= 0),
    failing_ratio double precision generated always as (failing::float8 / nullif(tested, 0)) stored,
    keys          jsonb            not null default '[]' check (jsonb_typeof(keys) = 'array'),

    primary key (run_id, check_id),
    constraint check_result_nothing_tested_is_no_pass check (verdict <> 'passed' or tested > 0),
    constraint check_result_no_more_fail_than_were_tested check (failing <= tested)
);

comment on table daftari.check_result is 'What one check of a contract found in one run.';
comment on column daftari.check_result.keys is 'Keys of some failing rows; *** stands for what may not be shown.';
