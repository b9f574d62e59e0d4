-- Numbers about datasets for the control room.

-- name: latest_loads
-- The latest run that wrote rows to each dataset, or found nothing new.
select distinct on (r.dataset) r.dataset, r.run_id, r.kind, r.finished_at
from daftari.run r
where r.dataset = any(%(datasets)s)
  and r.kind in ('load', 'replay', 'write')
  and r.status = 'succeeded'
order by r.dataset, r.run_id desc;

-- name: reports_made_at
select max(r.finished_at) from daftari.run r where r.kind = 'transform' and r.status = 'succeeded';

-- name: waiting
select q.dataset, count(*) as rows
from daftari.quarantine q
where q.dataset = any(%(datasets)s)
  and q.resolved_by is null
group by q.dataset;

-- name: runs
select r.run_id, r.kind, r.dataset, r.status::text, r.actor::text, r.source, r.started_at, r.finished_at, r.error_code,
       r.received, r.inserted, r.updated, r.unchanged, r.duplicate, r.superseded, r.quarantined,
       r.left_out, r.remarks
from daftari.run r
where r.dataset = any(%(datasets)s)
  and (%(before)s::bigint is null or r.run_id < %(before)s)
order by r.run_id desc
limit %(limit)s;

-- name: run
select r.run_id, r.kind, r.dataset, r.status::text, r.actor::text, r.source, r.started_at, r.finished_at, r.error_code,
       r.received, r.inserted, r.updated, r.unchanged, r.duplicate, r.superseded, r.quarantined,
       r.left_out, r.remarks
from daftari.run r
where r.run_id = %(run_id)s;

-- name: contract_history
select m.version, m.hash, m.applied_at
from daftari.contract_marker m
where m.dataset = %(dataset)s;

-- name: by_month
select date_trunc('month', ({moment})::timestamp)::date as month, count(*) as rows
from {relation} t
where {moment} is not null
group by 1
order by 1 desc
limit 24;
