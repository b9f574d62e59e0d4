-- Everything that a person made in a database, one statement a kind: what it is called, and all that it is.
-- Objects of extensions are left out, and so is what PostgreSQL derives by itself (types of rows, inherited triggers).

-- name: schemas
select n.nspname, jsonb_build_array(n.nspowner::regrole, coalesce(n.nspacl, acldefault('n', n.nspowner))::text)::text
from pg_namespace n
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema';

-- name: relations
select c.oid::regclass::text, jsonb_build_array(
    c.relkind, c.relowner::regrole, c.relpersistence, c.reloptions, c.relrowsecurity, c.relforcerowsecurity,
    pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, c.oid), i.inhparent::regclass::text,
    case when c.relkind = 'v' then pg_get_viewdef(c.oid) end,
    (
        select array_agg(a::text order by a::text)
        from unnest(coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner))) a
    )
)::text
from pg_class c
left join pg_inherits i on i.inhrelid = c.oid
where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
  and c.relnamespace in (select oid from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema')
  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e');

-- name: columns
select c.oid::regclass || '.' || a.attname, jsonb_build_array(
    row_number() over (partition by c.oid order by a.attnum), format_type(a.atttypid, a.atttypmod), a.attnotnull,
    pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, a.attcollation::regcollation::text, a.attstorage,
    a.attcompression, a.attacl::text, a.attoptions
)::text
from pg_attribute a
join pg_class c on c.oid = a.attrelid
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where c.relkind in ('r', 'p', 'v', 'm', 'f')
  and c.relnamespace in (select oid from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema')
  and a.attnum > 0
  and not a.attisdropped;

-- name: constraints
select c.conrelid::regclass || ' ' || c.conname, jsonb_build_array(
    pg_get_constraintdef(c.oid), c.convalidated, c.condeferrable, c.condeferred
)::text
from pg_constraint c
join pg_class r on r.oid = c.conrelid
where r.relnamespace in (select oid from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema');

-- name: indexes
select i.indexrelid::regclass::text, jsonb_build_array(
    pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisclustered, i.indisreplident, r.reloptions
)::text
from pg_index i
join pg_class r on r.oid = i.indexrelid
where r.relnamespace in (select oid from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema');

-- name: sequences
select s.seqrelid::regclass::text, jsonb_build_array(
    s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle
)::text
from pg_sequence s
join pg_class r on r.oid = s.seqrelid
where r.relnamespace in (select oid from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema');

-- name: types
select t.oid::regtype::text, jsonb_build_array(
    t.typtype, t.typowner::regrole, coalesce(t.typacl, acldefault('T', t.typowner))::text,
    format_type(t.typbasetype, t.typtypmod), t.typdefault, t.typnotnull,
    array(select e.enumlabel::text from pg_enum e where e.enumtypid = t.oid order by e.enumsortorder)
)::text
from pg_type t
left join pg_class c on c.oid = t.typrelid
where (t.typtype in ('e', 'd', 'r') or c.relkind = 'c')
  and t.typnamespace in (select oid from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema');

-- name: functions
select p.oid::regprocedure::text, jsonb_build_array(
    pg_get_functiondef(p.oid), p.proowner::regrole,
    (
        select array_agg(a::text order by a::text)
        from unnest(coalesce(p.proacl, acldefault('f', p.proowner))) a
    )
)::text
from pg_proc p
where p.prokind in ('f', 'p')
  and p.pronamespace in (select oid from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema')
  and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e');

-- name: triggers
select t.tgrelid::regclass || ' ' || t.tgname, jsonb_build_array(pg_get_triggerdef(t.oid), t.tgenabled)::text
from pg_trigger t
where not t.tgisinternal;

-- name: event_triggers
select e.evtname, jsonb_build_array(e.evtevent, e.evtfoid::regproc, e.evttags, e.evtenabled, e.evtowner::regrole)::text
from pg_event_trigger e;

-- name: policies
select p.polrelid::regclass || ' ' || p.polname, jsonb_build_array(
    p.polcmd, p.polpermissive, array(select r::regrole::text from unnest(p.polroles) r order by 1),
    pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
)::text
from pg_policy p;

-- name: rules
select schemaname || '.' || tablename || ' ' || rulename, definition
from pg_rules
where schemaname !~ '^pg_' and schemaname <> 'information_schema';

-- name: comments
select pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description
from pg_description d
where d.objoid >= 16384  -- what came with the server is below
  and d.classoid <> 'pg_extension'::regclass
  and not exists (select from pg_depend e where e.classid = d.classoid and e.objid = d.objoid and e.deptype = 'e');

-- name: extensions
select e.extname, jsonb_build_array(e.extversion, e.extnamespace::regnamespace, e.extowner::regrole)::text
from pg_extension e;

-- name: default_rights
select pg_describe_object('pg_default_acl'::regclass, a.oid, 0), a.defaclacl::text
from pg_default_acl a;

-- name: settings
select coalesce(s.setrole::regrole::text, ''), s.setconfig::text
from pg_db_role_setting s
where s.setdatabase = (select oid from pg_database where datname = current_database());
