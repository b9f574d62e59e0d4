-- Platform migrations that a database has run.

-- name: is_there
select to_regclass('daftari.migration') is not null;

-- name: applied
select name, sha256
from daftari.migration
order by name;

-- name: available
select name from pg_available_extensions;

-- name: record
insert into daftari.migration (name, sha256)
values (%(name)s, %(sha256)s);

-- name: functions
select p.proname, p.prosrc
from pg_proc p
where p.pronamespace = to_regnamespace('daftari')
  and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e');
