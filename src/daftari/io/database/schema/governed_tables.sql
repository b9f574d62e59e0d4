-- Functions of the triggers on governed tables, and of the code that creates their partitions.

-- Sets updated_at on every update, so that no statement can leave it out or set another value.
create function daftari.set_updated_at() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    new.updated_at := clock_timestamp();
    return new;
end;
$$;

-- Keeps a key unique across the partitions of a table, which PostgreSQL alone cannot: a primary key must hold the
-- partition column. The keys are rows of daftari.key_<dataset>, whose primary key is the contract's own.
-- Arguments: the key table, the partition column, the columns of the key.
-- A statement trigger, so that a bulk load pays once; it does not see rows written directly to a partition.
-- `security definer`, so that writers of rows need no right to write keys.
create function daftari.keep_keys() returns trigger
    language plpgsql
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    keys    text := format('daftari.%I', tg_argv[0]);
    range   text := quote_ident(tg_argv[1]);
    held    text := (select string_agg(distinct quote_ident(f), ', ') from unnest(tg_argv[1:]) f);
    same    text := (select string_agg(format('k.%1$I = r.%1$I', f), ' and ') from unnest(tg_argv[2:]) f);
    clashes boolean;
begin
    if tg_op = 'TRUNCATE' then
        -- not truncate: what refers to a key must keep it
        execute format('delete from %s', keys);
        return null;
    end if;

    if tg_op = 'DELETE' then
        execute format('delete from %s k using removed r where %s', keys, same);
        return null;
    end if;

    if tg_op = 'UPDATE' then
        -- only rows whose key or range moved
        execute format(
            'delete from %1$s k using (select %2$s from removed except select %2$s from added) r where %3$s',
            keys, held, same
        );
    end if;

    execute format(
        'insert into %1$s (%2$s) select %2$s from added on conflict do nothing',
        keys, held
    );
    execute format(
        'select exists (select from added r join %1$s k on %2$s where k.%3$s is distinct from r.%3$s)',
        keys, same, range
    ) into clashes;
    if clashes then
        raise exception 'duplicate key: a row of this key is in another partition of %.%',
            tg_table_schema, tg_table_name
            using errcode = 'unique_violation',
                  constraint = tg_argv[0] || '_pkey',
                  table = tg_table_name,
                  schema = tg_table_schema;
    end if;
    return null;
end;
$$;

-- Restricts a new partition like its table: same owner, the operator's policy, forced row level security.
-- Policies of a table do not apply to a partition that is read by its own name. Where the table has no operator's
-- policy yet, `apply` restricts both later. `security invoker`, because the caller owns what it creates.
create function daftari.close_partition(schema_name text, table_name text, partition_name text) returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp
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

-- Allows a change of state only as a step of the contract (daftari.approval), by a role that the contract names for it,
-- and never on the caller's own row unless the step is for that. What a decision covers keeps its value once a row has
-- left its first state; a step back to that state takes the decision back.
-- Arguments: the column of the state, the column of the subject, the steps as JSON, the roles that record as JSON, the
-- first state, the covered columns as JSON.
-- `security definer`, because callers cannot use this schema; it checks the role that the session has taken on.
-- The table's owner gives the prefix of roles, because a migration cannot know it.
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
