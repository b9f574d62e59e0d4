-- Publishing marts: statements of io/marts/publish.py. See docs/decisions/0003-write-audit-publish.md.

-- name: is_first
-- One transform at a time in a database: of those whose sessions live, the one that began first.
select not exists (
    select from daftari.run r
    where r.kind = 'transform'
      and r.status = 'running'
      and r.run_id < %(run_id)s
      and r.session_pid <> pg_backend_pid()
      and daftari.lives(r)
);

-- name: end_leftovers
-- Sessions of a killed transform. The caller is the only transform that is alive.
select count(pg_terminate_backend(a.pid))
from pg_stat_activity a
where a.application_name = %(application)s
  and a.datname = current_database()
  and a.usename = current_user;

-- name: tables
-- The tables of the build schema, and whether each is published.
select c.relname as name, c.relkind = 'r' as is_table, p.oid is not null as is_published
from pg_class c
left join pg_class p
    on p.relname = c.relname and p.relnamespace = to_regnamespace('marts') and p.relkind = 'r'
where c.relnamespace = to_regnamespace('marts__next')
  and c.relkind in ('r', 'p', 'v', 'm')
order by c.relname;

-- name: unbuilt
-- Published tables that this build did not make.
select c.relname
from pg_class c
where c.relnamespace = to_regnamespace('marts')
  and c.relkind = 'r'
  and not exists (
      select from pg_class n
      where n.relname = c.relname and n.relnamespace = to_regnamespace('marts__next')
  )
order by c.relname;

-- name: columns
select a.attname as name, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as not_null,
       col_description(a.attrelid, a.attnum) as comment
from pg_attribute a
where a.attrelid = %(table)s::regclass
  and a.attnum > 0
  and not a.attisdropped
order by a.attnum;

-- name: table_comment
select obj_description(%(table)s::regclass, 'pg_class');

-- name: indexes
-- definition has neither the index's name nor the table's, so that those of two tables compare.
select i.indexrelid::regclass::text as name, i.indisunique as is_unique,
       regexp_replace(pg_get_indexdef(i.indexrelid), '^.*? USING ', '') as definition
from pg_index i
where i.indrelid = %(table)s::regclass
order by definition;
