-- Session keys on their way to a session. io/keys/session_keys.py fills in identifiers in braces.

-- name: is_possible
select to_regclass('daftari.key_loan') is not null;

-- name: used
-- The keys that seal the values of a field, in the rows that this session may see.
select {subject}, substr({field}, 3, 8), get_byte({field}, 10) * 256 + get_byte({field}, 11), count(*)
from {table}
where {field} is not null and {condition}
group by 1, 2, 3;

-- name: lend
copy daftari.key_loan (field, subject, key_id, version, encryption, nonce, seals) from stdin (format binary);

-- name: return
select daftari.return_keys();

-- name: rows
-- In order of their key.
select {columns} from {table} where {condition} order by {key};

-- name: reveal
-- Sealed values, each with its person, opened with the session keys; in the given order.
select daftari.reveal(u.sealed, %(field)s, u.person)
from unnest(%(sealed)s::bytea[], %(people)s::text[]) with ordinality u(sealed, person, at)
order by u.at;

-- name: record_read
select daftari.record_read(%(relation)s, %(columns)s, %(rows)s, %(purpose)s);
