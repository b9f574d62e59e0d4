-- Every read under a policy asks this. As of 0005 it named the schema and the roles of each policy, for the error's
-- sake, in 0.3 to 0.7 ms a statement: reads of few rows took three times as long as without. Now it counts first,
-- policies of any schema, and looks closer only where there is more than one role.
create or replace function daftari.acts_as(role name) returns boolean
    language plpgsql
    stable
    parallel restricted
    set search_path = pg_catalog, pg_temp
as $$
declare
    held  oid[] := array(
        select distinct r
        from pg_policy p
        cross join unnest(p.polroles) r
        where pg_has_role(r, 'usage')
          and p.polname <> 'operator'
    );
    names name[];
begin
    if cardinality(held) > 1 then
        names := array(
            select distinct r.rolname
            from pg_policy p
            join pg_class c on c.oid = p.polrelid
            join pg_roles r on r.oid = any(p.polroles)
            where c.relnamespace = to_regnamespace('ops')
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
