-- Who may see and do what, as the server prints it. %(governed)s are the schemas of governed objects.
-- Run with an empty search_path, so that every name in a definition is qualified.

-- name: roles
select r.rolname,
       array_remove(array[
           case when r.rolcanlogin then 'login' end,
           case when r.rolsuper then 'superuser' end,
           case when r.rolbypassrls then 'bypassrls' end,
           case when r.rolcreaterole then 'createrole' end,
           case when r.rolcreatedb then 'createdb' end,
           case when r.rolreplication then 'replication' end
       ], null),
       array(
           select g.rolname::text
           from pg_auth_members m
           join pg_roles g on g.oid = m.roleid
           where m.member = r.oid
           order by g.rolname
       )
from pg_roles r
where r.rolname = any(%(roles)s);

-- name: views
-- In the schema where every view is ours.
select n.nspname, c.relname, rtrim(pg_get_viewdef(c.oid), ';'),
       coalesce((select o.option_value::boolean from pg_options_to_table(c.reloptions) o
                 where o.option_name = 'security_barrier'), false)
       and not coalesce((select o.option_value::boolean from pg_options_to_table(c.reloptions) o
                         where o.option_name = 'security_invoker'), false)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'v'
  and n.nspname = %(views)s;

-- name: owners
select n.nspname, c.relname, pg_get_userbyid(c.relowner), c.relkind = 'v'
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v')
  and n.nspname = any(%(governed)s);

-- name: row_security
select n.nspname, c.relname, c.relrowsecurity, c.relforcerowsecurity
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p')
  and n.nspname in (%(data)s, %(marts)s);

-- name: view_rights
-- Views that Daftari did not create: those of dbt, and those created by hand.
select n.nspname, c.relname,
       coalesce((select o.option_value::boolean from pg_options_to_table(c.reloptions) o
                 where o.option_name = 'security_invoker'), false)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'v'
  and n.nspname in ('ops', 'staging', 'marts');

-- name: policies
select n.nspname, c.relname, p.polname,
       case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
                     when 'd' then 'delete' else 'all' end,
       array(
           select case when r = 0 then 'public' else pg_get_userbyid(r)::text end
           from unnest(p.polroles) r
           order by 1
       ),
       pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid), p.polpermissive
from pg_policy p
join pg_class c on c.oid = p.polrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname in (%(data)s, %(marts)s);

-- name: grants
-- To roles other than the owner, on schemas, relations and columns. Objects of extensions are left out.
with granted as (
    select n.nspname, '' as relname, a.grantee, a.privilege_type, a.is_grantable, null as attname
    from pg_namespace n
    cross join aclexplode(n.nspacl) a
    where n.nspname = any(%(granted)s)
      and a.grantee <> n.nspowner
    union all
    select n.nspname, c.relname, a.grantee, a.privilege_type, a.is_grantable, null
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    cross join aclexplode(c.relacl) a
    where n.nspname = any(%(granted)s)
      and a.grantee <> c.relowner
      and c.relkind in ('r', 'p', 'v', 'm', 'f')
      and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
    union all
    select n.nspname, c.relname, a.grantee, a.privilege_type, a.is_grantable, t.attname
    from pg_attribute t
    join pg_class c on c.oid = t.attrelid
    join pg_namespace n on n.oid = c.relnamespace
    cross join aclexplode(t.attacl) a
    where n.nspname = any(%(granted)s)
      and a.grantee <> c.relowner
      and not t.attisdropped  -- before PostgreSQL 16 a dropped column keeps its grants
)
select nspname, relname,
       case when grantee = 0 then 'public' else pg_get_userbyid(grantee)::text end,
       lower(privilege_type),
       array_remove(array_agg(attname::text order by attname::text collate "C"), null),
       bool_or(is_grantable)
from granted
where grantee is distinct from to_regrole('daftari_pgaudit')::oid  -- tells pgAudit what to log; has no members
group by nspname, relname, grantee, privilege_type, attname is null;

-- name: marts
select c.relname, (
    select json_object_agg(a.attname, format_type(a.atttypid, a.atttypmod))
    from pg_attribute a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
)
from pg_class c
where c.relnamespace = to_regnamespace('marts')
  and c.relkind in ('r', 'p')
  and not c.relispartition
order by c.relname;

-- name: session
-- Who applies, and the rights that are missing to create roles and to transfer tables to the owner.
select current_user,
       r.rolsuper,
       array(
           select name from unnest(%(roles)s::text[]) name
           where not exists (select from pg_roles o where o.rolname = name)
           order by name
       ),
       array(
           select o.rolname::text from pg_roles o
           where o.rolname = any(%(own)s) and not pg_has_role(current_user, o.oid, 'usage')
       ),
       current_setting('server_version_num')::int >= 160000
from pg_roles r
where r.rolname = current_user;

-- name: bypassing
-- Members of a role that policies do not restrict. Operators are meant to be among them.
select r.rolname, m.rolname
from pg_roles r
join pg_roles m on m.oid <> r.oid and (m.rolsuper or m.rolbypassrls)
where r.rolname = any(%(roles)s)
  and m.rolname <> session_user
  and exists (
      with recursive above as (
          select a.roleid from pg_auth_members a where a.member = m.oid
          union
          select a.roleid from pg_auth_members a join above on a.member = above.roleid
      )
      select from above where above.roleid = r.oid
  )
order by r.rolname, m.rolname;

-- name: given_ahead
-- Default privileges: rights that future tables would get.
select n.nspname, pg_get_userbyid(d.defaclrole),
       case when a.grantee = 0 then 'public' else pg_get_userbyid(a.grantee)::text end,
       lower(a.privilege_type)
from pg_default_acl d
left join pg_namespace n on n.oid = d.defaclnamespace
cross join aclexplode(d.defaclacl) a
where d.defaclobjtype = 'r'
  and a.grantee <> d.defaclrole
  and (n.nspname is null or n.nspname = any(%(granted)s))
order by 1, 2, 3, 4;
