-- The contract last applied to each governed table.

-- name: is_there
select to_regclass('daftari.contract_marker') is not null;

-- name: hashes
select dataset, hash
from daftari.contract_marker;

-- name: documents
select dataset, document
from daftari.contract_marker;

-- name: mark
-- Returns a row when the marker changed.
insert into daftari.contract_marker as m (dataset, contract_id, version, hash, document, applied_at)
values (%(dataset)s, %(contract_id)s, %(version)s, %(hash)s, %(document)s, %(now)s)
on conflict (dataset) do update
set contract_id = excluded.contract_id,
    version = excluded.version,
    hash = excluded.hash,
    document = excluded.document,
    applied_at = excluded.applied_at
where (m.contract_id, m.version, m.hash) is distinct from (excluded.contract_id, excluded.version, excluded.hash)
returning m.dataset;

-- name: forget_others
delete from daftari.contract_marker
where dataset <> all(%(datasets)s);

-- name: history
-- Newest first.
select version, applied_at, applied_by, document
from daftari.contract_history
where dataset = %(dataset)s
order by history_id desc
limit %(limit)s;
