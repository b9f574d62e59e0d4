-- Requests go from state to state by the steps of their contract (daftari.approval), and by those alone.
--
-- Promises, each with a test of the same name in tests/db/test_approval.py:
--   1. a step is taken by a role that the contract names for it, and by nobody else;
--   2. nobody takes a step of a row about oneself, unless the step is for that;
--   3. who took a step, and when, is what the server says, whatever was sent;
--   4. a row about oneself is not made another's, nor another's one's own, by whoever is bound to the steps.

-- Arguments: the field of the state, the field of the subject, the steps, the roles that record; the last two as JSON.
-- Roles have the prefix that the owner of the table has. A definer, as callers do not get into this schema: whom it asks
-- about is the role that the session has taken on. Who has several roles at once is refused by the policies before.
create function daftari.take_step() returns trigger
    language plpgsql
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    caller  name  := coalesce(nullif(current_setting('role'), 'none'), session_user);
    prefix  text  := (
        select left(pg_get_userbyid(c.relowner), -length('daftari_owner')) from pg_class c where c.oid = tg_relid
    );
    me      text  := daftari.user_id();
    before  jsonb := to_jsonb(old);
    after   jsonb := to_jsonb(new);
    was     text  := before ->> tg_argv[0];
    becomes text  := after ->> tg_argv[0];
    is_own  boolean := coalesce(me in (before ->> tg_argv[1], after ->> tg_argv[1]), false);
    step    jsonb;
begin
    if pg_has_role(caller, prefix || 'daftari_operator', 'usage') then
        return new;
    end if;
    if was is not distinct from becomes and not is_own then
        return new;  -- whose row it is was put right
    end if;
    select s into step
    from jsonb_array_elements(tg_argv[2]::jsonb) s
    where s ->> 'from' = was
      and s ->> 'to' = becomes
      and (s ->> 'own')::boolean = is_own
      and before ->> tg_argv[1] is not distinct from after ->> tg_argv[1]
      and exists (
          select from jsonb_array_elements_text(s -> 'roles') r where pg_has_role(caller, (prefix || r)::name, 'usage')
      )
    limit 1;
    if step is null then
        if not is_own and exists (
            select from jsonb_array_elements_text(tg_argv[3]::jsonb) r where pg_has_role(caller, (prefix || r)::name, 'usage')
        ) then
            return new;
        end if;
        raise exception 'no step from % to % for this role', was, becomes
            using errcode = 'check_violation', constraint = 'approval', table = tg_table_name;
    end if;
    if step ->> 'by' is not null then
        if me is null then
            raise exception 'a step that names who took it, by nobody'
                using errcode = 'check_violation', constraint = 'approval', table = tg_table_name;
        end if;
        new := jsonb_populate_record(new, jsonb_build_object(step ->> 'by', me));
    end if;
    if step ->> 'at' is not null then
        new := jsonb_populate_record(new, jsonb_build_object(step ->> 'at', now()));
    end if;
    return new;
end;
$$;
