-- What each run of a pipeline did, step by step, so that the next one knows where to go on.

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

-- The share of a run's rows that were refused, 0 to 1; null where it received none.
alter table daftari.run add column rejected_ratio numeric
    generated always as (case when received > 0 then round(quarantined::numeric / received, 6) end) stored;
