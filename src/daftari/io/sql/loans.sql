-- Keys on their way to a session. Identifiers in braces are filled in by io/loans.py.

-- name: is_possible
select to_regclass('daftari.key_loan') is not null;

-- name: used
-- Under which keys the values of a field are sealed, of the rows that this session may see.
select distinct {subject}, substr({field}, 3, 8), get_byte({field}, 10) * 256 + get_byte({field}, 11)
from {table}
where {field} is not null;

-- name: lend
copy daftari.key_loan (field, subject, key_id, version, encryption, nonce, seals) from stdin (format binary);

-- name: return
select daftari.return_keys();
