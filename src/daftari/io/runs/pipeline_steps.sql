-- Statements over the runs of pipelines.

-- name: record_step
insert into daftari.pipeline_step (run_id, pipeline, step, status, error_code, started_at)
values (%(run_id)s, %(pipeline)s, %(step)s, %(status)s, %(error_code)s, %(started_at)s);

-- name: last_steps
-- The steps of the latest run of a pipeline that reached a step.
select step, status
from daftari.pipeline_step
where pipeline = %(pipeline)s
  and run_id = (select max(run_id) from daftari.pipeline_step where pipeline = %(pipeline)s);

-- name: refused_of_files
-- For the files of some runs: their rows, and how many of those are still in quarantine.
select coalesce(sum(r.received), 0)::bigint as received,
       coalesce(sum(open.rows), 0)::bigint as refused
from daftari.source_file f
join daftari.run r on r.run_id = f.run_id
cross join lateral (
    select count(*) as rows
    from daftari.quarantine q
    join daftari.run again on again.run_id = q.run_id
    join daftari.source_file held on held.dataset = q.dataset and held.sha256 = again.sha256
    where q.dataset = f.dataset
      and coalesce(held.mends_sha256, held.sha256) = f.sha256
      and q.resolved_by is null
) as open
where f.dataset = %(dataset)s
  and f.run_id = any(%(runs)s);

-- name: is_anything_new
-- Whether rows or contracts changed since the pipeline last loaded: by itself, by hand or from quarantine.
with last as (
    select s.finished_at
    from daftari.pipeline_step s
    where s.pipeline = %(pipeline)s
      and s.step = 'load'
      and s.run_id < %(run_id)s
    order by s.run_id desc
    limit 1
)
select exists (
    select from daftari.run r, last
    where r.dataset = any(%(datasets)s)
      and r.kind in ('load', 'replay')
      and r.status = 'succeeded'
      and r.finished_at > last.finished_at
    union all
    select from daftari.contract_marker m, last
    where m.dataset = any(%(datasets)s)
      and m.applied_at > last.finished_at
);
