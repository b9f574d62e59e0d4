-- Partitions of a governed table. io/catalogue/partition_tables.py fills in identifiers in braces.

-- name: names
select c.relname from pg_class c where c.relispartition and c.relnamespace = to_regnamespace(quote_ident(%(schema)s));

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
-- The audit records that rows leave the default partition; this states why.
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
-- Otherwise its creator could read it by its own name and bypass the policies of its table.
select daftari.close_partition(%(schema)s, %(table)s, %(name)s);
