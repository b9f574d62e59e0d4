-- Statements over rejected rows. io/quarantine/quarantine_entries.py fills in identifiers in braces.

-- name: open_files
-- The files with open entries, each with the file its rows first came from: another one, where the rows were exported,
-- corrected and rejected again. A replay from the file itself leaves entries of the same content.
select f.name, f.sha256, f.path, f.mapping, f.sheet,
       first.name as first_name, first.sha256 as first_sha256, first.path as first_path, first.sheet as first_sheet,
       array_agg(q.line order by q.line) as lines,
       array_agg(q.quarantine_id order by q.line) as entries
from daftari.quarantine q
join daftari.run r using (run_id)
join daftari.source_file f on f.dataset = q.dataset and f.sha256 = r.sha256
join daftari.source_file first on first.dataset = q.dataset and first.sha256 = coalesce(f.mends_sha256, f.sha256)
where q.dataset = %(dataset)s
  and q.resolved_by is null
  and (%(run_id)s::bigint is null or q.run_id = %(run_id)s)
group by f.dataset, f.sha256, first.dataset, first.sha256
order by min(q.quarantine_id);

-- name: open_now
-- For each of some entries, the open entries of its row: itself, or its replacement.
with recursive rows as (
    select q.quarantine_id as asked, q.quarantine_id, q.resolved_by
    from daftari.quarantine q
    where q.dataset = %(dataset)s
      and q.quarantine_id = any(%(entries)s)
    union all
    select rows.asked, q.quarantine_id, q.resolved_by
    from rows
    join daftari.quarantine q on q.replaces = rows.quarantine_id
)
select asked, quarantine_id from rows where resolved_by is null;

-- name: still_open
select q.quarantine_id from daftari.quarantine q
where q.quarantine_id = any(%(entries)s)
  and q.resolved_by is null;

-- name: hold
select q.quarantine_id
from daftari.quarantine q
where q.quarantine_id = any(%(entries)s)
  and q.resolved_by is null
order by q.quarantine_id
for update;

-- name: resolve
update daftari.quarantine
set resolved_by = %(run_id)s, cells = null
where quarantine_id = any(%(entries)s)
  and resolved_by is null;

-- name: resolve_content
-- When a file is loaded again as a whole, all its lines are judged again.
update daftari.quarantine q
set resolved_by = %(run_id)s, cells = null
from daftari.run r
where r.run_id = q.run_id
  and r.sha256 = %(sha256)s
  and q.dataset = %(dataset)s
  and q.run_id <> %(run_id)s
  and q.resolved_by is null;

-- name: any_open
select 1
from daftari.quarantine q
where q.dataset = %(dataset)s
  and q.run_id <> %(run_id)s
  and q.resolved_by is null
  and q.key is not null
limit 1;

-- name: resolve_landed
-- An entry is resolved when a later run writes a valid row of its key.
update daftari.quarantine q
set resolved_by = %(run_id)s, cells = null
where q.dataset = %(dataset)s
  and q.run_id <> %(run_id)s
  and q.resolved_by is null
  and q.key in (
      select jsonb_build_object({pairs}) from {table} t where t._run_id = %(run_id)s
  );

-- name: piles
select q.dataset, q.run_id, r.source, r.started_at as at, count(*) as rows,
       (
           select reason ->> 'rule'
           from daftari.quarantine p
           cross join lateral jsonb_array_elements(p.reasons) as reason
           where p.run_id = q.run_id and p.resolved_by is null
           group by reason ->> 'rule'
           order by count(*) desc, reason ->> 'rule'
           limit 1
       ) as top_reason
from daftari.quarantine q
join daftari.run r using (run_id)
where q.resolved_by is null
  and (%(dataset)s::text is null or q.dataset = %(dataset)s)
group by q.dataset, q.run_id, r.source, r.started_at
order by r.started_at desc, q.run_id desc;

-- name: entries
select q.quarantine_id, q.run_id, q.dataset, r.source, r.sha256, f.path, q.line, q.reasons, q.preview,
       r.started_at as at, q.resolved_by
from daftari.quarantine q
join daftari.run r using (run_id)
left join daftari.source_file f on f.dataset = q.dataset and f.sha256 = r.sha256
where q.dataset = %(dataset)s
  and (%(run_id)s::bigint is null or q.run_id = %(run_id)s)
  and q.resolved_by is null
order by q.run_id, q.line
limit %(limit)s;

-- name: entries_of
select q.quarantine_id, q.run_id, q.dataset, r.source, r.sha256, f.path, q.line, q.reasons, q.preview,
       r.started_at as at, q.resolved_by
from daftari.quarantine q
join daftari.run r using (run_id)
left join daftari.source_file f on f.dataset = q.dataset and f.sha256 = r.sha256
where q.quarantine_id = any(%(entries)s)
order by q.quarantine_id;

-- name: resolve_keys
-- As one document, which is joined: an array of a thousand would be searched for every entry.
update daftari.quarantine q
set resolved_by = %(run_id)s, cells = null
from (select distinct value as key from jsonb_array_elements(%(keys)s::jsonb)) written
where q.dataset = %(dataset)s
  and q.run_id <> %(run_id)s
  and q.resolved_by is null
  and q.key = written.key;

-- name: waiting
select q.quarantine_id, q.run_id, q.dataset, coalesce(r.source, r.kind) as source, r.sha256, null as path, q.line,
       q.reasons, q.preview, r.started_at as at, q.resolved_by, q.cells
from daftari.quarantine q
join daftari.run r using (run_id)
where q.dataset = %(dataset)s
  and q.resolved_by is null
  and q.quarantine_id > %(after)s
  and (%(entries)s::bigint[] is null or q.quarantine_id = any(%(entries)s))
order by q.quarantine_id
limit %(limit)s;
