-- Who a session is: what policies ask about the caller.
--
-- Promises, each with a test of the same name in tests/db/test_caller.py:
--   1. what a session says of itself counts only when a service's login says it;
--   2. a login that is assigned to nobody is nobody;
--   3. reports are the people below the caller, however far, also where the records run in a circle;
--   4. who is a member of several roles acts in one of them at a time;
--   5. a partition is born as closed as its table.
--
-- The functions about the caller are open to all: each tells its caller about the caller, and takes nothing from
-- it but the name of a role.

create schema if not exists views;

-- Logins have no right to read or write this; operators do.
create table daftari.assignment (
    login      name    primary key,
    user_id    text,  -- whose login it is; null for a service, which speaks for whoever it serves
    department text,  -- of a login that is no person; a person's department is in the people's records
    is_service boolean not null default false,

    constraint assignment_of_a_service_is_to_nobody check (not is_service or user_id is null and department is null)
);

comment on table daftari.assignment is 'Whom each login stands for. Row scopes go by it.';


create function daftari.is_service() returns boolean
    language sql
    stable
    security definer  -- reads assignments, which callers may not
    set search_path = ''
as $$
    select coalesce((select a.is_service from daftari.assignment a where a.login = session_user), false)
$$;


create function daftari.user_id() returns text
    language sql
    stable
    security definer
    set search_path = ''
as $$
    select case
        when a.is_service then nullif(pg_catalog.current_setting('daftari.user_id', true), '')
        else a.user_id
    end
    from daftari.assignment a
    where a.login = session_user
$$;


-- plpgsql, as the people's records are made later than this; a workspace may do without them.
create function daftari.department() returns text
    language plpgsql
    stable
    security definer
    set search_path = ''
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


-- The people of the caller's department, the caller among them.
create function daftari.colleagues() returns text[]
    language plpgsql
    stable
    security definer
    set search_path = ''
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


-- The people below the caller, the caller not among them.
create function daftari.reports() returns text[]
    language plpgsql
    stable
    security definer
    set search_path = ''
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


-- Whether the caller acts as *role*. Rights are granted by column and by row; who had the columns of one role
-- and the rows of another at once would see cells that neither may see. So that is refused, and not guessed at.
-- Not a definer: it asks about the current user.
create function daftari.acts_as(role name) returns boolean
    language plpgsql
    stable
    set search_path = ''
as $$
declare
    held name[] := array(
        select distinct r.rolname
        from pg_catalog.pg_policy p
        join pg_catalog.pg_class c on c.oid = p.polrelid
        join pg_catalog.pg_roles r on r.oid = any(p.polroles)
        where c.relnamespace = pg_catalog.to_regnamespace('ops')
          and p.polname <> 'operator'
          and pg_catalog.pg_has_role(r.oid, 'usage')
    );
begin
    if pg_catalog.cardinality(held) > 1 then
        raise exception 'this session has the rights of several roles: %', pg_catalog.array_to_string(held, ', ')
            using errcode = 'insufficient_privilege',
                  hint = 'Act in one of them: set role ' || pg_catalog.quote_ident(held[1]) || '.';
    end if;
    return role = any(held);
end;
$$;


-- Gives a new partition the owner of its table and the operator's policy, and forces policies on it, so that
-- nobody else reads it by its own name. A table that has no such policy yet is closed by `apply`, its partitions
-- too. Not a definer: whoever makes partitions owns them.
create function daftari.close_partition(schema_name text, table_name text, partition_name text) returns void
    language plpgsql
    set search_path = ''
as $$
declare
    place     text := pg_catalog.format('%I.%I', schema_name, partition_name);
    of_table  oid := pg_catalog.to_regclass(pg_catalog.format('%I.%I', schema_name, table_name));
    owner     name := (select pg_catalog.pg_get_userbyid(c.relowner) from pg_catalog.pg_class c where c.oid = of_table);
    operators text := (
        select pg_catalog.string_agg(pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(r)), ', ')
        from pg_catalog.pg_policy p
        cross join unnest(p.polroles) r
        where p.polrelid = of_table
          and p.polname = 'operator'
    );
begin
    if operators is null then
        return;
    end if;
    execute pg_catalog.format('alter table %s enable row level security, force row level security', place);
    execute pg_catalog.format('create policy operator on %s for all to %s using (true)', place, operators);
    execute pg_catalog.format('grant select, insert, update, delete on %s to %s', place, operators);
    execute pg_catalog.format('alter table %s owner to %I', place, owner);
end;
$$;
