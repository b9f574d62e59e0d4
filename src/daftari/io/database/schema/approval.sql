-- Requests and the steps of their approval (daftari.approval): who took part, and who may take which step.

-- Who took part in a request (daftari.approval), by person whatever the role: so that nobody decides what they entered
-- or changed, nor pays what they approved. Written by triggers alone; gone with the row.
create table daftari.request_part (
    dataset text        not null,
    key     jsonb       not null,  -- of the row: its key columns and their values
    person  text        not null,
    -- entered: inserted it. recorded: brought it from a system of record. changed: a field that a decision covers,
    -- before the decision. decided: took a step since it was last asked for.
    part    text        not null check (part in ('entered', 'recorded', 'changed', 'decided')),
    at      timestamptz not null default now(),
    primary key (dataset, key, person, part)
);

comment on table daftari.request_part is 'Who entered, recorded, changed or decided each request.';

-- Whether a session may act in one of the roles that a contract names (a JSON list). The owner of the table gives the
-- prefix of roles, because a migration cannot know it.
create function daftari.acts_in(roles jsonb, relation oid) returns boolean
    language sql
    stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from pg_class c
        cross join jsonb_array_elements_text(roles) r
        where c.oid = relation
          and pg_has_role(
              coalesce(nullif(current_setting('role'), 'none'), session_user),
              (left(pg_get_userbyid(c.relowner), -length('daftari_owner')) || r)::name,
              'usage'
          )
    )
$$;

-- The key of a row as request_part has it.
create function daftari.key_of(row_as_json jsonb, names jsonb) returns jsonb
    language sql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
    select coalesce(jsonb_object_agg(n, row_as_json -> n), '{}') from jsonb_array_elements_text(names) n
$$;

-- Notes what a person did in a request. A table of a contract that was applied before names no key: nothing is noted.
create function daftari.note_part(its_dataset text, its_key jsonb, who text, did text) returns void
    language sql
    set search_path = pg_catalog, pg_temp
as $$
    insert into daftari.request_part (dataset, key, person, part)
    select its_dataset, its_key, who, did
    where who is not null and its_key <> '{}'
    on conflict do nothing
$$;

-- Notes the person who inserts a request. Arguments: the dataset, the columns of its key as JSON, the roles that record
-- as JSON. Rows that an operator loads are not noted one by one: their run says whose login loaded them.
create function daftari.note_entry() returns trigger
    language plpgsql
    security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    perform daftari.note_part(
        tg_argv[0], daftari.key_of(to_jsonb(new), tg_argv[1]::jsonb), daftari.user_id(),
        case when daftari.acts_in(tg_argv[2]::jsonb, tg_relid) then 'recorded' else 'entered' end
    );
    return null;
end;
$$;

-- Forgets who took part in requests that are deleted. Arguments: the dataset, the columns of its key as JSON.
create function daftari.forget_parts() returns trigger
    language plpgsql
    security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'TRUNCATE' then
        delete from daftari.request_part p where p.dataset = tg_argv[0];
    elsif exists (select from daftari.request_part p where p.dataset = tg_argv[0]) then
        delete from daftari.request_part p
        using removed r
        where p.dataset = tg_argv[0]
          and p.key = daftari.key_of(to_jsonb(r), tg_argv[1]::jsonb);
    end if;
    return null;
end;
$$;

-- Allows a change of state only as a step of the contract (daftari.approval), by a role that the contract names for it.
-- By person, whatever the role: a step that is `own` is for the person whom the row is about (or, where it names nobody,
-- who entered it); any other step is for somebody who is not that person, did not enter the row, did not change what is
-- to be decided, and took no earlier step of it unless the contract permits the same person. So it is for persons alone.
-- A role that records may set any state of a row that is not about the caller, and in which the caller took no part in
-- another role.
-- Only a step writes the fields that record it. What a decision covers is changed by a step back to the first state, or
-- sends the row back there; a row in a state that no step leaves keeps it.
-- Arguments: the column of the state, the column of the subject, the steps as JSON, the roles that record as JSON, the
-- first state, the covered columns as JSON, the columns of the key as JSON, the dataset.
-- `security definer`, because callers cannot use this schema; it checks the role that the session has taken on.
create function daftari.take_step() returns trigger
    language plpgsql
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    before  jsonb;
    after   jsonb;
    was     text;
    becomes text;
    subject text;
    moves   boolean;
    its_dataset text := coalesce(tg_argv[7], tg_table_name);
    names   jsonb := coalesce(tg_argv[6], '[]');
    row_key jsonb;
    me      text;
    fills   text[];  -- the columns that steps write
    parts   text[];
    is_own  boolean;
    records boolean;
    step    jsonb;
    changed text;
begin
    if daftari.acts_in('["daftari_operator"]', tg_relid) then
        return new;
    end if;
    before := to_jsonb(old);
    after := to_jsonb(new);
    was := before ->> tg_argv[0];
    becomes := after ->> tg_argv[0];
    subject := before ->> tg_argv[1];
    moves := subject is distinct from after ->> tg_argv[1];
    row_key := daftari.key_of(before, names);
    me := daftari.user_id();
    fills := array(
        select distinct f
        from jsonb_array_elements(tg_argv[2]::jsonb) s
        cross join unnest(array[s ->> 'by', s ->> 'at']) f
        where f is not null
    );

    -- A run by a person's own login recorded the row; noted now, because this change names another run.
    perform daftari.note_part(its_dataset, row_key, a.user_id, 'recorded')
    from daftari.run r
    join daftari.assignment a on a.login = r.actor
    where r.run_id = (before ->> '_run_id')::bigint;

    parts := array(
        select p.part from daftari.request_part p
        where p.dataset = its_dataset and p.key = row_key and p.person = me
    );
    is_own := coalesce(me in (subject, after ->> tg_argv[1]), false)
        or (subject is null and not moves and 'entered' = any(parts));
    records := not is_own and not parts && '{entered,changed,decided}' and daftari.acts_in(tg_argv[3]::jsonb, tg_relid);

    if daftari.key_of(after, names) <> row_key then
        raise exception 'a request keeps its key'
            using errcode = 'check_violation', constraint = 'approval', table = tg_table_name;
    end if;

    if was is distinct from becomes or (is_own and moves) then
        select s into step
        from jsonb_array_elements(tg_argv[2]::jsonb) s
        where s ->> 'from' = was
          and s ->> 'to' = becomes
          and (s ->> 'own')::boolean = is_own
          and not moves
          and daftari.acts_in(s -> 'roles', tg_relid)
          and (is_own or me is not null and not (
              parts && '{entered,recorded}'
              or was = tg_argv[4] and 'changed' = any(parts)
              or not coalesce((s ->> 'same_person')::boolean, false)
                  and becomes <> tg_argv[4]
                  and ('decided' = any(parts) or exists (
                      select from jsonb_array_elements(tg_argv[2]::jsonb) o where before ->> (o ->> 'by') = me
                  ))
          ))
        limit 1;
        if step is null and not records then
            raise exception 'no step from % to % for this role and person', was, becomes
                using errcode = 'check_violation', constraint = 'approval', table = tg_table_name;
        end if;
    end if;

    if step is null and records then
        perform daftari.note_part(its_dataset, row_key, me, 'recorded');
        return new;
    end if;

    select f into changed
    from unnest(fills) f
    where before -> f is distinct from after -> f
      and (step is null or f is distinct from step ->> 'by' and f is distinct from step ->> 'at')
      and not (step is not null and becomes = tg_argv[4])
    limit 1;
    if changed is null then
        select c into changed
        from jsonb_array_elements_text(coalesce(tg_argv[5], '[]')::jsonb) c
        where before -> c is distinct from after -> c
          and c <> all(fills)
        limit 1;
        if changed is not null and (
            step is null and (was = tg_argv[4] or exists (
                select from jsonb_array_elements(tg_argv[2]::jsonb) s where s ->> 'from' = was
            ))
            or becomes = tg_argv[4]
        ) then
            becomes := tg_argv[4];
            changed := null;
            perform daftari.note_part(its_dataset, row_key, me, 'changed');
        end if;
    end if;
    if changed is not null then
        raise exception '% was decided, or is written by a step alone', changed
            using errcode = 'check_violation', constraint = 'approval_covers', column = changed, table = tg_table_name;
    end if;

    if was is distinct from becomes and becomes = tg_argv[4] then
        new := jsonb_populate_record(new, jsonb_build_object(tg_argv[0], becomes) || (
            select coalesce(jsonb_object_agg(f, null), '{}') from unnest(fills) f
        ));
        delete from daftari.request_part p
        where p.dataset = its_dataset and p.key = row_key and p.part = 'decided';
    end if;
    if step is null then
        return new;
    end if;
    if step ->> 'by' is not null then
        new := jsonb_populate_record(new, jsonb_build_object(step ->> 'by', me));
    end if;
    if step ->> 'at' is not null then
        new := jsonb_populate_record(new, jsonb_build_object(step ->> 'at', now()));
    end if;
    if becomes <> tg_argv[4] then
        perform daftari.note_part(its_dataset, row_key, me, 'decided');
    end if;
    return new;
end;
$$;

revoke execute on function daftari.note_part(text, jsonb, text, text) from public;
