-- Totals of a whole workspace, for a page.

-- name: counts_of
-- What became of the rows of every loaded file, by dataset.
select r.dataset,
       count(*) as files,
       sum(r.received)::bigint as received,
       sum(r.inserted)::bigint as inserted,
       sum(r.updated)::bigint as updated,
       sum(r.unchanged)::bigint as unchanged,
       sum(r.duplicate)::bigint as duplicate,
       sum(r.superseded)::bigint as superseded,
       sum(r.quarantined)::bigint as quarantined
from daftari.run r
where r.kind = 'load'
  and r.status = 'succeeded'
group by r.dataset;

-- name: reasons_by_dataset
-- Why rows are in quarantine, most frequent first. A row with two reasons counts for both.
select q.dataset,
       reason ->> 'rule' as rule,
       count(*) as rows
from daftari.quarantine q
cross join lateral jsonb_array_elements(q.reasons) as reason
where q.resolved_by is null
group by q.dataset, reason ->> 'rule'
order by q.dataset, rows desc, rule;

-- name: monthly_spend
-- What each department spent each month in one currency, from the published mart.
select d.name as department,
       s.month,
       s.spent
from marts.monthly_spend_summary s
join ops.departments d on d.department_code = s.department_code
where s.currency = %(currency)s
order by d.name, s.month;
