-- A decision covers what was decided: the fields that the contract names (`covers`, by default all) keep their value
-- once a row has left its first state, and a step back to that state takes the decision back. Triggers of contracts
-- that were applied before have no such argument, and cover nothing until `daftari apply`.
create or replace function daftari.take_step() returns trigger
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
    moves   boolean := before ->> tg_argv[1] is distinct from after ->> tg_argv[1];
    is_own  boolean := coalesce(me in (before ->> tg_argv[1], after ->> tg_argv[1]), false);
    records boolean := not is_own and exists (
        select from jsonb_array_elements_text(tg_argv[3]::jsonb) r where pg_has_role(caller, (prefix || r)::name, 'usage')
    );
    step    jsonb;
    changed text;
begin
    if pg_has_role(caller, prefix || 'daftari_operator', 'usage') then
        return new;
    end if;
    if was is distinct from becomes or (is_own and moves) then
        select s into step
        from jsonb_array_elements(tg_argv[2]::jsonb) s
        where s ->> 'from' = was
          and s ->> 'to' = becomes
          and (s ->> 'own')::boolean = is_own
          and not moves
          and exists (
              select from jsonb_array_elements_text(s -> 'roles') r where pg_has_role(caller, (prefix || r)::name, 'usage')
          )
        limit 1;
        if step is null and not records then
            raise exception 'no step from % to % for this role', was, becomes
                using errcode = 'check_violation', constraint = 'approval', table = tg_table_name;
        end if;
    end if;
    if step is null and records then
        return new;
    end if;
    if was is distinct from tg_argv[4] and becomes is distinct from tg_argv[4] then
        select c into changed
        from jsonb_array_elements_text(coalesce(tg_argv[5], '[]')::jsonb) c
        where before -> c is distinct from after -> c
          and c is distinct from step ->> 'by'
          and c is distinct from step ->> 'at'
        limit 1;
        if changed is not null then
            raise exception '% was decided', changed
                using errcode = 'check_violation', constraint = 'approval_covers', column = changed, table = tg_table_name;
        end if;
    end if;
    if step is null then
        return new;
    end if;
    if becomes = tg_argv[4] then
        new := jsonb_populate_record(new, (
            select coalesce(jsonb_object_agg(f, null), '{}')
            from jsonb_array_elements(tg_argv[2]::jsonb) s
            cross join unnest(array[s ->> 'by', s ->> 'at']) f
            where f is not null
        ));
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
