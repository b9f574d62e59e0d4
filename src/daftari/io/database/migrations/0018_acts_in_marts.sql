-- Marts have policies too. Who is a member of a role that reads marts alone, and of another, acts in one at a time.
create or replace function daftari.acts_as(role name) returns boolean
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
