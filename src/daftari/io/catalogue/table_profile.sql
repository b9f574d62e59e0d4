-- name: columns
-- The columns of one table, in its order, with what the catalogue knows about each.
select
    a.attname as name,
    format_type(a.atttypid, a.atttypmod) as type,
    a.attnotnull as required,
    coalesce(col_description(a.attrelid, a.attnum), '') as description,
    array_position(pk.conkey, a.attnum) as key_position,
    exists (
        select from pg_constraint u
        where u.conrelid = a.attrelid
          and u.contype = 'u'
          and u.conkey = array[a.attnum]
    ) as is_unique,
    coalesce((
        select array_agg(e.enumlabel::text order by e.enumsortorder)
        from pg_enum e
        where e.enumtypid = a.atttypid
    ), '{}') as allowed
from pg_attribute a
left join pg_constraint pk
  on pk.conrelid = a.attrelid
 and pk.contype = 'p'
where a.attrelid = %(table)s::regclass
  and a.attnum > 0
  and not a.attisdropped
order by a.attnum;

-- name: table
-- The kind of one table and its estimated number of rows; nothing where it does not exist.
select
    c.oid::regclass::text as name,
    c.relname as plain_name,
    coalesce(obj_description(c.oid), '') as description,
    greatest(c.reltuples, 0)::bigint as rows
from pg_class c
where c.oid = to_regclass(%(table)s)
  and c.relkind in ('r', 'p', 'v', 'm', 'f');

-- name: references
-- The foreign keys of one table, each with its columns and the referenced ones, in the same order.
select
    t.relname as target,
    array(
        select a.attname::text
        from unnest(f.conkey) with ordinality k (attnum, place)
        join pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.attnum
        order by k.place
    ) as columns,
    array(
        select a.attname::text
        from unnest(f.confkey) with ordinality k (attnum, place)
        join pg_attribute a on a.attrelid = f.confrelid and a.attnum = k.attnum
        order by k.place
    ) as target_columns
from pg_constraint f
join pg_class t on t.oid = f.confrelid
where f.conrelid = %(table)s::regclass
  and f.contype = 'f'
order by f.conname;
