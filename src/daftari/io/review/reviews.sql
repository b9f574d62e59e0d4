-- The access that a review surveys. Names of roles are the server's. %(own)s are the platform's own roles.

-- name: memberships
-- For each login its granted roles, each with the watched roles it leads to, through which others, and whether
-- their rights are inherited or need `set role`.
with recursive chain as (
    select m.member as login, m.roleid as first, m.roleid as role, array[m.roleid] as path
    from pg_auth_members m
    join pg_roles l on l.oid = m.member and l.rolcanlogin
    union all
    select c.login, c.first, m.roleid, c.path || m.roleid
    from chain c
    join pg_auth_members m on m.member = c.role and m.roleid <> all (c.path)
)
select pg_get_userbyid(c.login), pg_get_userbyid(c.first), pg_get_userbyid(c.role),
       array(select pg_get_userbyid(p)::text from unnest(c.path) with ordinality u(p, n) order by n),
       pg_has_role(c.login, c.role, 'usage'),
       -- from PostgreSQL 16 each grantor's grant is separate, and is revoked by the grantor's name
       case when current_setting('server_version_num')::int >= 160000 then array(
           select pg_get_userbyid(m.grantor)::text from pg_auth_members m
           where m.member = c.login and m.roleid = c.first
           order by 1
       ) else '{}' end
from chain c
where pg_get_userbyid(c.role) = any(%(watched)s)
order by 1, 2, cardinality(c.path), 3;

-- name: reached
-- The privileges of a role on each governed relation. A relation that it may not select from has no columns.
select c.place, c.privileges, c.columns, c.selects
from (
    select format('%%I.%%I', n.nspname, c.relname) as place,
           array_remove(array[
               case when has_any_column_privilege(%(role)s, c.oid, 'select') then 'select' end,
               case when has_any_column_privilege(%(role)s, c.oid, 'insert') then 'insert' end,
               case when has_any_column_privilege(%(role)s, c.oid, 'update') then 'update' end,
               case when has_table_privilege(%(role)s, c.oid, 'delete') then 'delete' end,
               case when has_table_privilege(%(role)s, c.oid, 'truncate') then 'truncate' end
           ], null) as privileges,
           case when not has_table_privilege(%(role)s, c.oid, 'select') then array(
               select a.attname::text from pg_attribute a
               where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                 and has_column_privilege(%(role)s, c.oid, a.attnum, 'select')
               order by a.attnum
           ) else '{}' end as columns,
           has_any_column_privilege(%(role)s, c.oid, 'select') as selects
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('ops', 'views', 'staging', 'marts')
      and c.relkind in ('r', 'p', 'v', 'm')
      and not c.relispartition
      and has_schema_privilege(%(role)s, n.oid, 'usage')
) c
where c.privileges <> '{}'
order by c.place;

-- name: grants
-- To roles that are not in the contracts: logins, other groups, public. On partitions too.
with granted as (
    select n.nspname, c.relname, a.grantee, a.privilege_type
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    cross join aclexplode(c.relacl) a
    where n.nspname in ('ops', 'views', 'staging', 'marts', 'daftari')
      and c.relkind in ('r', 'p', 'v', 'm', 'f')
      and a.grantee <> c.relowner
      and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
    union
    select n.nspname, c.relname, a.grantee, a.privilege_type
    from pg_attribute t
    join pg_class c on c.oid = t.attrelid
    join pg_namespace n on n.oid = c.relnamespace
    cross join aclexplode(t.attacl) a
    where n.nspname in ('ops', 'views', 'staging', 'marts', 'daftari')
      and a.grantee <> c.relowner
)
select case when grantee = 0 then 'public' else pg_get_userbyid(grantee)::text end as grantee,
       format('%%I.%%I', nspname, relname) as place,
       array_agg(lower(privilege_type) order by lower(privilege_type))
from granted
where grantee is distinct from to_regrole('daftari_pgaudit')::oid
  and (grantee = 0 or pg_get_userbyid(grantee) <> all (%(watched)s))
group by grantee, nspname, relname
order by 1, 2;

-- name: owners
-- Owners of governed relations that therefore bypass policies, or that no policy restricts.
select pg_get_userbyid(c.relowner), format('%%I.%%I', n.nspname, c.relname)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_roles o on o.oid = c.relowner
where n.nspname in ('ops', 'views', 'marts')
  and c.relkind in ('r', 'p', 'v', 'm')
  and not c.relispartition
  and not o.rolsuper  -- superusers are listed as such elsewhere
  and o.rolname <> all (%(own)s)
order by 1, 2;

-- name: attributes
-- Attributes of logins, and of the roles they can take on, that override every policy and grant.
select r.rolname, a.attribute
from pg_roles r
cross join lateral unnest(array_remove(array[
    case when r.rolsuper then 'superuser' end,
    case when r.rolbypassrls and not r.rolsuper then 'bypassrls' end,
    case when r.rolcreaterole and not r.rolsuper then 'createrole' end,
    case when r.rolreplication and not r.rolsuper then 'replication' end
], null)) a(attribute)
where r.rolname !~ '^pg_'
order by 1, 2;

-- name: functions
-- Functions that run with the rights of a role that reads governed rows. Those created by our migrations and by
-- extensions are left out.
select case when a.grantee = 0 then 'public' else pg_get_userbyid(a.grantee)::text end,
       format('%%I.%%I(%%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
       pg_get_userbyid(p.proowner)
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
join pg_roles o on o.oid = p.proowner
cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
where p.prosecdef
  and n.nspname not in ('daftari', 'pg_catalog', 'information_schema')
  and a.grantee <> p.proowner
  and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
  and (o.rolsuper or o.rolbypassrls or exists (
      select from pg_class c
      join pg_namespace g on g.oid = c.relnamespace
      where g.nspname in ('ops', 'views', 'staging', 'marts')
        and c.relkind in ('r', 'p', 'v', 'm')
        and has_any_column_privilege(o.oid, c.oid, 'select')
  ))
order by 1, 2;

-- name: views
-- Views that show governed rows with their owner's rights, directly or through others; also materialized views. Those
-- in `views` come from the contracts.
with recursive leads as (
    select distinct r.ev_class as view, d.refobjid as to_relation, array[r.ev_class, d.refobjid] as path
    from pg_rewrite r
    join pg_depend d on d.objid = r.oid and d.classid = 'pg_rewrite'::regclass
    where d.refclassid = 'pg_class'::regclass and d.refobjid <> r.ev_class
    union  -- a view depends on each column that it names
    select l.view, d.refobjid, l.path || d.refobjid
    from leads l
    join pg_rewrite r on r.ev_class = l.to_relation
    join pg_depend d on d.objid = r.oid and d.classid = 'pg_rewrite'::regclass
    where d.refclassid = 'pg_class'::regclass and d.refobjid <> all (l.path)
)
select case when a.grantee = 0 then 'public' else pg_get_userbyid(a.grantee)::text end,
       format('%%I.%%I', n.nspname, v.relname), v.relkind = 'm',
       array(
           select format('%%I.%%I', pn.nspname, p.relname)
           from unnest(l.path[2:]) with ordinality u(oid, at)
           join pg_class p on p.oid = u.oid
           join pg_namespace pn on pn.oid = p.relnamespace
           order by u.at
       )
from leads l
join pg_class v on v.oid = l.view and v.relkind in ('v', 'm')
join pg_namespace n on n.oid = v.relnamespace
join pg_class c on c.oid = l.to_relation and c.relkind in ('r', 'p')
join pg_namespace g on g.oid = c.relnamespace and g.nspname in ('ops', 'marts')
cross join aclexplode(v.relacl) a
where n.nspname not in ('views', 'pg_catalog', 'information_schema')
  and a.grantee <> v.relowner
  and a.privilege_type = 'SELECT'
  and not exists (
      -- with the caller's rights all the way: then it shows only what the caller may see anyway
      select where v.relkind = 'v' and not exists (
          select from unnest(l.path) p
          join pg_class s on s.oid = p and s.relkind in ('v', 'm')
          where s.relkind = 'm' or not coalesce(
              (select o.option_value::boolean from pg_options_to_table(s.reloptions) o
               where o.option_name = 'security_invoker'), false)
      )
  )
order by 1, 2, 4;

-- name: last_uses
select e.login, e.role, max(e.at)
from daftari.audit_entry e
where e.operation <> 'review'
group by e.login, e.role;

-- name: is_superuser
select r.rolsuper from pg_roles r where r.rolname = session_user;

-- name: open_review
select r.review_id from daftari.access_review r where r.closed_at is null;

-- name: start
insert into daftari.access_review (quarter, deadline, started_at)
values (%(quarter)s, %(deadline)s, %(now)s)
returning review_id;

-- name: add_entry
insert into daftari.access_review_entry
    (review_id, entry_no, kind, grantee, object, means, through, reach, last_use, is_new)
values
    (%(review_id)s, %(entry_no)s, %(kind)s, %(grantee)s, %(object)s, %(means)s, %(through)s, %(reach)s, %(last_use)s,
     not exists (
        select from daftari.access_review_entry e
        where e.review_id = (
            select max(r.review_id) from daftari.access_review r where r.review_id < %(review_id)s
        )
          and (e.kind, e.grantee, e.object, e.means) = (%(kind)s, %(grantee)s, %(object)s, %(means)s::text[])
          and e.outcome is distinct from 'revoked'
     ));

-- name: reviews
select review_id, quarter, deadline, started_at, started_by, closed_at, closed_by, digest
from daftari.access_review
where %(review_id)s::integer is null or review_id = %(review_id)s
order by review_id desc
limit 1;

-- name: entries
select entry_no, kind, grantee, object, means, through, reach, last_use, is_new,
       decision, decided_by, decided_at, reason, outcome
from daftari.access_review_entry
where review_id = %(review_id)s
order by entry_no;

-- name: decide
update daftari.access_review_entry
set decision = %(decision)s, decided_by = daftari.actor(), decided_at = %(now)s, reason = %(reason)s
where review_id = %(review_id)s and entry_no = any(%(entries)s);

-- name: actor
select daftari.actor(), session_user::text;

-- name: first_role
select pg_get_userbyid(10);

-- name: record
select daftari.record_review(%(detail)s);

-- name: set_outcome
update daftari.access_review_entry set outcome = %(outcome)s
where review_id = %(review_id)s and entry_no = %(entry_no)s;

-- name: close
update daftari.access_review set closed_at = %(now)s, closed_by = daftari.actor(), digest = %(digest)s
where review_id = %(review_id)s;

-- name: attested
-- The digest of a closed review in the audit.
select e.detail ->> 'digest'
from daftari.audit_entry e
where e.operation = 'review'
  and e.detail ->> 'event' = 'close'
  and (e.detail ->> 'review')::integer = %(review_id)s
order by e.entry_id
limit 1;
