-- Partitions of a governed table. Identifiers in braces are filled in by io/partition_tables.py.

-- name: is_there
select exists (
    select from pg_class c
    where c.relnamespace = to_regnamespace(quote_ident(%(schema)s))
      and c.relname = %(name)s
);

-- name: has_rows
select exists (
    select from {default}
    where {field} >= %(first)s
      and {field} < %(next)s
);

-- name: say_what_for
-- The audit sees rows leave the default partition; this tells why.
select set_config('daftari.purpose', %(purpose)s, true);

-- name: make_alone
create table {partition} (like {table} including defaults including constraints);

-- name: move_rows
with moved as (
    delete from {default}
    where {field} >= %(first)s
      and {field} < %(next)s
    returning {columns}
)
insert into {partition} ({columns})
select {columns} from moved;

-- name: attach
alter table {table} attach partition {partition} for values from ({first}) to ({next});

-- name: close
-- Whoever made it could read it by its own name, around the policies of its table.
select daftari.close_partition(%(schema)s, %(table)s, %(name)s);
