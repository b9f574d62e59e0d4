-- Rows as a caller reads them. io/read/caller_read.py fills in identifiers in braces.

-- name: page
-- Each row as JSON, made by the server so that numbers keep their digits, and its place in the order.
select row_to_json(shown)::text, array[{place}]
from {relation} r
cross join lateral (select {fields}) shown
where {condition}
order by {order}
limit {limit};

-- name: every
select {cells}
from {relation} r
where {condition}
order by {order};
