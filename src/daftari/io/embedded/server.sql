-- Capabilities of a server. Used by `daftari doctor`.

-- name: facts
select current_setting('server_version') as version,
       current_setting('server_version_num')::int / 10000 as major,
       current_setting('server_encoding') as encoding,
       current_setting('data_checksums') = 'on' as data_checksums,
       current_setting('fsync') = 'on' and current_setting('full_page_writes') = 'on' as survives_crashes,
       current_setting('standard_conforming_strings') = 'on' as standard_strings,
       -- only some roles may read these: null for the others
       case when pg_has_role('pg_read_all_settings', 'usage')
            then current_setting('shared_preload_libraries')
       end as preloaded,
       coalesce(current_setting('pgaudit.role', true), '') <> '' as logs_reads,
       has_database_privilege(current_database(), 'create') as may_create,
       has_parameter_privilege('session_replication_role', 'set') as may_prove_keys,
       (select rolsuper from pg_roles where rolname = current_user) as is_superuser,
       current_database() as database,
       current_user as user;

-- name: extensions
select name, installed_version
from pg_available_extensions;
