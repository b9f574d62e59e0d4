-- Functions of the triggers on governed tables, and of the code that creates their partitions.

-- Sets updated_at on every update, so that no statement can leave it out or set another value. A caller cannot write
-- _run_id either: it becomes the run that the session is in.
create function daftari.set_updated_at() returns trigger
    language plpgsql
    security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    new.updated_at := clock_timestamp();
    if new._run_id = old._run_id and coalesce(current_setting('daftari.run_id', true), '') <> '' then
        new._run_id := coalesce(daftari.current_run(), new._run_id);
    end if;
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

-- Judges the rows of a statement by a rule over sums (daftari.rules), together with the stored rows of their groups, and
-- refuses the statement if one of them breaks it.
-- Arguments: the name of the rule as a constraint; a query for the groups of the statement's rows; a query for whether
-- one of the rows breaks the rule.
-- Two sessions that write into one group wait for each other: each takes the turn of the group, one of 256 of the rule,
-- before it reads what the other has committed. Only `read committed` shows it that.
-- A statement trigger, so that a bulk load pays once. `security definer`, so that the sum is over all rows, not over
-- those that the writer sees. The planner's settings are its own: a load changes those of its session.
create function daftari.judge_sums() returns trigger
    language plpgsql
    security definer
    set search_path = pg_catalog, pg_temp
    set enable_hashjoin = on
    set enable_mergejoin = on
    set jit = off
as $$
declare
    breaks boolean;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'rule % is judged in a transaction that sees what others have committed', tg_argv[0]
            using errcode = 'invalid_transaction_state', hint = 'Use isolation level read committed.';
    end if;
    -- In order of their numbers: two statements over the same groups would otherwise deadlock.
    execute format(
        'select daftari.take_turn(%L || place) from ('
        'select distinct hash_record_extended(of_rule, 0) & 255 as place from (%s) as of_rule order by place'
        ') as places',
        tg_argv[0] || ' ', tg_argv[1]
    );
    -- a statement of its own: it sees what was committed while this one waited
    execute tg_argv[2] into breaks;
    if breaks then
        raise exception 'a row of %.% breaks rule %', tg_table_schema, tg_table_name, tg_argv[0]
            using errcode = 'check_violation',
                  constraint = tg_argv[0],
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
