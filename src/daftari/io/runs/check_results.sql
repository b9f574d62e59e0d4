-- Results of checks: statements of io/runs/check_results.py.

-- name: record_run
insert into daftari.check_run (run_id, dataset, contract_hash, verdict, rows, started_at)
select %(run_id)s, %(dataset)s, %(contract_hash)s, %(verdict)s, %(rows)s, r.started_at
from daftari.run r
where r.run_id = %(run_id)s;

-- name: record_result
insert into daftari.check_result
    (run_id, check_id, position, field, description, verdict, reason, tested, failing, keys)
values
    (%(run_id)s, %(check)s, %(position)s, %(field)s, %(description)s, %(verdict)s, %(reason)s,
     %(tested)s, %(failing)s, %(keys)s);

-- name: latest_runs
-- The latest run of each dataset.
select distinct on (c.dataset)
    c.run_id, c.dataset, c.contract_hash, c.verdict::text as verdict, c.rows, c.finished_at
from daftari.check_run c
order by c.dataset, c.run_id desc;

-- name: results
select r.check_id as "check", r.field, r.description, r.verdict::text as verdict, r.reason,
       r.tested, r.failing, r.keys
from daftari.check_result r
where r.run_id = %(run_id)s
order by r.position;
