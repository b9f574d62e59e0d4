-- Object auditing by the extension pgAudit: reads of what its role may read are logged.

-- name: is_loaded
-- Settings of a library that the server did not load do not exist.
select current_setting('pgaudit.log', true) is not null;

-- name: make_role
-- Roles belong to the whole server: another database may be creating this one.
do $$
begin
    create role daftari_pgaudit nologin;
exception
    when duplicate_object or unique_violation then null;
end;
$$;

-- name: granted
-- Governed tables and partitions that the role may read.
select c.relname
from pg_class c
cross join lateral aclexplode(c.relacl) a
where c.relnamespace = to_regnamespace('ops')
  and c.relkind in ('r', 'p')
  and a.grantee = to_regrole('daftari_pgaudit')
  and a.privilege_type = 'SELECT';

-- name: relations
-- Some tables, each with its partitions.
select c.relname
from pg_class c
where c.relnamespace = to_regnamespace('ops')
  and (
      c.relname = any(%(tables)s)
      or exists (
          select from pg_inherits h
          join pg_class p on p.oid = h.inhparent
          where h.inhrelid = c.oid and p.relname = any(%(tables)s)
      )
  )
  and c.relkind in ('r', 'p');

-- name: settings
-- Settings of this database for every session.
select coalesce(array_agg(said), '{}')
from pg_db_role_setting s
cross join lateral unnest(s.setconfig) said
where s.setdatabase = (select oid from pg_database where datname = current_database())
  and s.setrole = 0
  and said like 'pgaudit.%%';

-- name: database
select current_database();
