-- What a database has, read from its catalogue. %(schemas)s are the schemas of governed objects; of the
-- platform's own schema, only the tables that hold keys: those of a partitioned table in ops.
-- Run with an empty search_path, so that every name in a definition is qualified.

-- name: extensions
select e.extname
from pg_extension e
order by e.oid;

-- name: enums
select n.nspname, t.typname, array_agg(v.enumlabel::text order by v.enumsortorder)
from pg_type t
join pg_namespace n on n.oid = t.typnamespace
join pg_enum v on v.enumtypid = t.oid
where n.nspname = any(%(schemas)s)
group by n.nspname, t.typname;

-- name: tables
select n.nspname, c.relname, coalesce(pg_get_partkeydef(c.oid), '')
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p')
  and not c.relispartition
  and (n.nspname = any(%(schemas)s) or c.oid = any(%(key_tables)s))
order by c.oid;

-- name: columns
select n.nspname, c.relname, a.attname,
       format_type(a.atttypid, a.atttypmod)
         || case when a.attcollation <> t.typcollation then format(' collate %%I', l.collname) else '' end,
       a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
from pg_attribute a
join pg_type t on t.oid = a.atttypid
left join pg_collation l on l.oid = a.attcollation
join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where c.relkind in ('r', 'p')
  and not c.relispartition
  and a.attnum > 0
  and not a.attisdropped
  and (n.nspname = any(%(schemas)s) or c.oid = any(%(key_tables)s))
order by c.oid, a.attnum;

-- name: constraints
-- Constraints that a partition inherits are left out. PostgreSQL 18 lists not-null as constraints.
select n.nspname, c.relname, k.conname, k.contype::text, pg_get_constraintdef(k.oid), k.convalidated
from pg_constraint k
join pg_class c on c.oid = k.conrelid
join pg_namespace n on n.oid = c.relnamespace
where k.contype in ('p', 'u', 'c', 'x', 'f')
  and k.conparentid = 0
  and not (c.relispartition and k.coninhcount > 0)
  and (n.nspname = any(%(schemas)s) or c.oid = any(%(key_tables)s))
order by k.oid;

-- name: indexes
select n.nspname, c.relname, x.relname, pg_get_indexdef(i.indexrelid), i.indisvalid
from pg_index i
join pg_class x on x.oid = i.indexrelid
join pg_class c on c.oid = i.indrelid
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p')
  and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
  and not exists (select from pg_inherits h where h.inhrelid = i.indexrelid)
  and (n.nspname = any(%(schemas)s) or c.oid = any(%(key_tables)s))
order by x.oid;

-- name: triggers
-- tgenabled: O fires as usual, A always, D never, R only on replicas.
select n.nspname, c.relname, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text
from pg_trigger t
join pg_class c on c.oid = t.tgrelid
join pg_namespace n on n.oid = c.relnamespace
where not t.tgisinternal
  and t.tgparentid = 0
  and (n.nspname = any(%(schemas)s) or c.oid = any(%(key_tables)s))
order by t.oid;

-- name: partitions
select n.nspname, p.relname, c.relname, pg_get_expr(c.relpartbound, c.oid)
from pg_inherits h
join pg_class c on c.oid = h.inhrelid
join pg_class p on p.oid = h.inhparent
join pg_namespace n on n.oid = p.relnamespace
where c.relispartition
  and c.relkind in ('r', 'p')
  and n.nspname = any(%(schemas)s)
order by c.oid;

-- name: comments
select n.nspname, c.relname, coalesce(a.attname, ''), d.description
from pg_description d
join pg_class c on c.oid = d.objoid
join pg_namespace n on n.oid = c.relnamespace
left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid and d.objsubid > 0
where d.classoid = 'pg_class'::regclass
  and c.relkind in ('r', 'p')
  and not c.relispartition
  and (n.nspname = any(%(schemas)s) or c.oid = any(%(key_tables)s))
order by c.oid, d.objsubid;

-- name: key_tables
-- The platform's tables that hold the keys of partitioned tables.
select k.oid
from pg_class k
join pg_class p on k.relname = 'key_' || p.relname and p.relkind = 'p'
where k.relnamespace = to_regnamespace('daftari')
  and k.relkind = 'r'
  and p.relnamespace = to_regnamespace('ops');

-- name: views_of_columns
-- Views that show a column of a governed table: they block changing its type or dropping it.
select distinct n.nspname, c.relname, a.attname, vn.nspname, v.relname,
       case v.relkind when 'm' then 'materialized view' else 'view' end
from pg_depend d
join pg_rewrite r on r.oid = d.objid
join pg_class v on v.oid = r.ev_class
join pg_namespace vn on vn.oid = v.relnamespace
join pg_class c on c.oid = d.refobjid
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum = d.refobjsubid
where d.classid = 'pg_rewrite'::regclass
  and d.refclassid = 'pg_class'::regclass
  and d.refobjsubid > 0
  and v.oid <> c.oid
  and vn.nspname <> 'views'  -- ours: dropped and created again with the columns they show
  and n.nspname = any(%(schemas)s)
order by vn.nspname, v.relname;
