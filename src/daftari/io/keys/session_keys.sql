-- Keys on their way to a session. Identifiers in braces are filled in by io/loans.py.

-- name: is_possible
select to_regclass('daftari.key_loan') is not null;

-- name: used
-- Under which keys the values of a field are sealed, of the rows that this session may see.
select {subject}, substr({field}, 3, 8), get_byte({field}, 10) * 256 + get_byte({field}, 11), count(*)
from {table}
where {field} is not null and {condition}
group by 1, 2, 3;

-- name: lend
copy daftari.key_loan (field, subject, key_id, version, encryption, nonce, seals) from stdin (format binary);

-- name: return
select daftari.return_keys();

-- name: rows
-- In the order of their key.
select {columns} from {table} where {condition} order by {key};

-- name: reveal
-- Sealed values, each of its person, opened with the keys that were lent to this session; in the order given.
select daftari.reveal(u.sealed, %(field)s, u.person)
from unnest(%(sealed)s::bytea[], %(people)s::text[]) with ordinality u(sealed, person, at)
order by u.at;

-- name: record_read
select daftari.record_read(%(relation)s, %(columns)s, %(rows)s, %(purpose)s);
