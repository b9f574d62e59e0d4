-- Statements over the runs of pipelines.

-- name: record_step
insert into daftari.pipeline_step (run_id, pipeline, step, status, error_code, started_at)
values (%(run_id)s, %(pipeline)s, %(step)s, %(status)s, %(error_code)s, %(started_at)s);

-- name: last_steps
-- The steps of the newest run of a pipeline that got as far as a step.
select step, status
from daftari.pipeline_step
where pipeline = %(pipeline)s
  and run_id = (select max(run_id) from daftari.pipeline_step where pipeline = %(pipeline)s);

-- name: refused_of_files
-- Of files that were loaded: the rows they brought, and those of them that are still in quarantine.
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
  and f.sha256 = any(%(files)s);
