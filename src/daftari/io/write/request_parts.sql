-- What a person did in requests. io/write/request_parts.py fills in identifiers in braces.

-- name: parts
-- For each key that has a row: whether it is about the person, or about nobody; the person's parts in it, with a load by
-- a login of theirs; whether the row says that they decided it. daftari.take_step asks the same.
select k.n, coalesce({subject}::text = %(person)s, false), {subject} is null,
       array(
           select p.part
           from daftari.request_part p
           where p.dataset = %(dataset)s
             and p.key = daftari.key_of(to_jsonb(t), %(names)s::jsonb)
             and p.person = %(person)s
           union all
           select 'recorded'
           from daftari.run r
           join daftari.assignment a on a.login = r.actor
           where r.run_id = t._run_id
             and a.user_id = %(person)s
       ),
       coalesce(%(person)s in ({by}), false)
from unnest({keys}) with ordinality as k({columns}, n)
join {table} t on {match};
