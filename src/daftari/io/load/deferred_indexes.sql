-- Indexes that a table does without during a large load. See io/load/deferred_indexes.py.

-- name: secondary_indexes
-- Indexes of a plain table without a constraint: name, and the statements that create each again.
select c.relname, pg_get_indexdef(i.indexrelid),
       case when obj_description(i.indexrelid, 'pg_class') is not null
            then format('comment on index ops.%%I is %%L', c.relname, obj_description(i.indexrelid, 'pg_class'))
       end
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_class t on t.oid = i.indrelid
where t.relnamespace = 'ops'::regnamespace
  and t.relname = %(table)s
  and t.relkind = 'r'
  and not t.relispartition
  and not i.indisunique
  and not i.indisexclusion
  and not exists (select from pg_constraint k where k.conindid = i.indexrelid);

-- name: lone_key
-- The primary key of a plain table, with the statements that create it again, where nothing refers to it and nothing
-- else restricts which rows may exist together.
select k.conname,
       format('alter table %%s add constraint %%I %%s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid)),
       case when obj_description(k.oid, 'pg_constraint') is not null
            then format('comment on constraint %%I on %%s is %%L',
                        k.conname, k.conrelid::regclass, obj_description(k.oid, 'pg_constraint'))
       end,
       case when obj_description(k.conindid, 'pg_class') is not null
            then format('comment on index ops.%%I is %%L', k.conname, obj_description(k.conindid, 'pg_class'))
       end
from pg_constraint k
join pg_class t on t.oid = k.conrelid
where t.relnamespace = 'ops'::regnamespace
  and t.relname = %(table)s
  and t.relkind = 'r'
  and not t.relispartition
  and k.contype = 'p'
  and not exists (select from pg_constraint f where f.confrelid = t.oid)
  and not exists (
      select from pg_index i
      where i.indrelid = t.oid and (i.indisunique or i.indisexclusion) and not i.indisprimary
  );
