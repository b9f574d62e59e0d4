-- Who the caller is. Row policies call these functions.
--
-- Every login may execute them: each returns information about its caller only.
-- They are `parallel restricted`, because the default (unsafe) keeps every read under a policy from parallel workers.
-- Their search path names pg_temp last: otherwise a login could shadow a type or table of ours with a temporary one.

-- The identity of each login. Logins cannot write it, so nobody can choose whose rows they see.
create table daftari.assignment (
    login      name    primary key,
    user_id    text,  -- the person; null for a service, which acts for different persons
    department text,  -- of a login without a person; a person's department is in ops.users
    is_service boolean not null default false,

    constraint assignment_of_a_service_is_to_nobody check (not is_service or user_id is null and department is null)
);

comment on table daftari.assignment is 'Whom each login stands for. Row scopes go by it.';

-- Whether the login may act for other callers. `security definer`, because callers may not read assignments.
create function daftari.is_service() returns boolean
    language sql
    stable
    parallel restricted
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select coalesce((select a.is_service from daftari.assignment a where a.login = session_user), false)
$$;

-- The person that the session acts for. Anyone can change a setting, so it counts only for services.
create function daftari.user_id() returns text
    language sql
    stable
    parallel restricted
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select case
        when a.is_service then nullif(pg_catalog.current_setting('daftari.user_id', true), '')
        else a.user_id
    end
    from daftari.assignment a
    where a.login = session_user
$$;

-- The caller's department. plpgsql, because ops.users is created later than this function, or never.
create function daftari.department() returns text
    language plpgsql
    stable
    parallel restricted
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    caller text := daftari.user_id();
    found  text := (select a.department from daftari.assignment a where a.login = session_user);
begin
    if found is null and caller is not null and pg_catalog.to_regclass('ops.users') is not null then
        select u.department_code::text into found from ops.users u where u.user_id::text = caller;
    end if;
    return found;
end;
$$;

-- The people of the caller's department, including the caller: for rows with the scope `department`.
create function daftari.colleagues() returns text[]
    language plpgsql
    stable
    parallel restricted
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    department text := daftari.department();
begin
    if department is null or pg_catalog.to_regclass('ops.users') is null then
        return '{}';
    end if;
    return array(select u.user_id::text from ops.users u where u.department_code::text = department);
end;
$$;

-- The people who report to the caller at any depth, without the caller. `union` also ends a circle of managers.
create function daftari.reports() returns text[]
    language plpgsql
    stable
    parallel restricted
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    caller text := daftari.user_id();
begin
    if caller is null or pg_catalog.to_regclass('ops.users') is null then
        return '{}';
    end if;
    return array(
        with recursive below as (
            select u.user_id from ops.users u where u.manager_id::text = caller
            union  -- not union all: whoever was found before is not followed again
            select u.user_id from ops.users u join below b on u.manager_id = b.user_id
        )
        select b.user_id::text from below b where b.user_id::text <> caller
    );
end;
$$;

-- Whether the caller acts in exactly this role. Rights are granted by column and by row: a session with the columns of
-- one role and the rows of another would see cells that neither role may see, so a session with several roles is denied.
-- `security invoker`, because it checks the current user. The first branch serves a session that took on a role that is
-- in no other role, as every API request does: counting roles takes as long as reading a page of rows.
create function daftari.acts_as(role name) returns boolean
    language plpgsql
    stable
    parallel restricted
    set search_path = pg_catalog, pg_temp
as $$
declare
    held  oid[];
    names name[];
begin
    if current_user = role
        and not exists (select from pg_auth_members m where m.member = to_regrole(quote_ident(role))::oid)
    then
        return true;
    end if;
    held := array(
        select distinct r
        from pg_policy p
        cross join unnest(p.polroles) r
        where pg_has_role(r, 'usage')
          and p.polname <> 'operator'
    );
    if cardinality(held) > 1 then
        names := array(
            select distinct r.rolname
            from pg_policy p
            join pg_class c on c.oid = p.polrelid
            join pg_roles r on r.oid = any(p.polroles)
            where c.relnamespace in (to_regnamespace('ops'), to_regnamespace('marts'))
              and p.polname <> 'operator'
              and r.oid = any(held)
        );
        if cardinality(names) > 1 then
            raise exception 'this session has the rights of several roles: %', array_to_string(names, ', ')
                using errcode = 'insufficient_privilege',
                      hint = 'Act in one of them: set role ' || quote_ident(names[1]) || '.';
        end if;
    end if;
    return to_regrole(quote_ident(role))::oid = any(held);
end;
$$;
