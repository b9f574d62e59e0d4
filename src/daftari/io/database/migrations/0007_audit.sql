-- The audit: who changed what, when, for what and in which run. Entries are chained one to the next, so that what
-- is done to them afterwards shows; docs/reference/audit-chain.md says how each hash is made.
--
-- Promises, each with a test of the same name in tests/db/test_audit.py:
--   1. an update keeps the old and the new values of what it changed in each row, a delete the whole row;
--   2. a statement on a partition is audited as one on its table;
--   3. truncate is audited, of a table and of one partition;
--   4. the actor that a session names counts only for a login of a service;
--   5. a run is named only by the session that holds it;
--   6. entries are neither changed nor removed;
--   7. the chain has no gap and no fork;
--   8. a read is recorded with its purpose, and refused without one;
--   9. a table that is dropped or a partition that is detached leaves an entry.

-- The chain of this database: what its first link follows, and what tells its anchors from another's.
create table daftari.audit_log (
    log_id  uuid        primary key default gen_random_uuid(),
    made_at timestamptz not null default clock_timestamp()
);
create unique index audit_log_is_one on daftari.audit_log ((true));
insert into daftari.audit_log default values;

create sequence daftari.audit_entry_number;

-- One statement, batch, read or change of a table's shape.
create table daftari.audit_entry (
    entry_id   bigint      not null,
    at         timestamptz not null,
    operation  text        not null check (operation in (
        'insert', 'merge', 'update', 'delete', 'truncate', 'read', 'alter', 'detach', 'drop'
    )),
    relation   text        not null,  -- schema.table; of a change of shape: the object as PostgreSQL names it
    actor      text        not null,
    login      text        not null,  -- session_user
    role       text        not null,  -- that the session had taken on
    purpose    text,
    run_id     bigint,
    request_id text,
    key        text[]      not null default '{}',  -- the fields that name a row
    rows       bigint      check (rows >= 0),
    -- in hex: of a batch, of its rows as they were sent; else of the entry's rows, each two lines, in blocks of 1000
    digest     text,
    detail     json,
    primary key (entry_id, at)
) partition by range (at);

create index audit_entry_relation on daftari.audit_entry (relation, at);
create index audit_entry_run on daftari.audit_entry (run_id) where run_id is not null;

-- One row that an entry changed, as it was and as it became: its key and what changed of it; all of a row that went.
-- JSON as text, kept to the letter, since it is hashed.
create table daftari.audit_row (
    entry_id bigint      not null,
    at       timestamptz not null,
    n        bigint      not null,  -- within its entry, from 1
    old      text,
    new      text
) partition by range (at);

create index audit_row_entry on daftari.audit_row (entry_id, n);

-- Entries that wait for their place in the chain.
create table daftari.audit_pending (
    entry_id bigint      primary key,
    at       timestamptz not null
);

-- The chain. A link is given when its entry is committed, by one session at a time.
create table daftari.audit_link (
    position   bigint      primary key,
    entry_id   bigint      not null unique,
    at         timestamptz not null,  -- of the entry: tells where it must lie
    entry_hash text,  -- null: it was gone before it was chained
    hash       text        not null,
    chained_at timestamptz not null default clock_timestamp()
);

-- Signed statements of how far the chain had come. The proof is in their anchors, outside this database.
create table daftari.audit_checkpoint (
    position  bigint      primary key,
    hash      text        not null,
    signed_at timestamptz not null,
    signature text        not null
);

comment on table daftari.audit_entry is 'Who changed, read or reshaped what, and in which run. Append-only.';
comment on table daftari.audit_row is 'Each row that an entry changed, as it was and as it became. Append-only.';
comment on table daftari.audit_link is 'The chain over the entries. Append-only.';


-- --- who, and in which run

-- A service's login acts for others: its word counts, and nobody else's (migration 0005 says who is one).
create function daftari.actor() returns text
    language sql stable
    set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        case when daftari.is_service() then nullif(current_setting('daftari.actor', true), '') end,
        session_user
    )
$$;

-- The run that this session is in. Its number is a setting, which anybody can set; it counts only where this very
-- session holds the run's lock.
create function daftari.current_run() returns bigint
    language plpgsql stable
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    said text := current_setting('daftari.run_id', true);
begin
    if said is null or said !~ '^[0-9]{1,9}$' then
        return null;
    end if;
    return (
        select r.run_id
        from daftari.run r
        where r.run_id = said::bigint
          and r.status = 'running'
          and exists (
              select from pg_locks l
              where l.locktype = 'advisory'
                and l.classid = hashtext('daftari.run')::oid
                and l.objid = r.run_id::oid
                and l.objsubid = 2
                and l.pid = pg_backend_pid()
          )
    );
end;
$$;


-- --- how things are hashed

-- A text within what is hashed: its length in bytes, so that no two lists of texts read the same.
create function daftari.hashed_field(said text) returns text
    language sql immutable
as $$ select coalesce(octet_length(said) || ':' || said || ',', '-') $$;

create function daftari.hashed(said text[]) returns text
    language sql immutable
    set search_path = pg_catalog, pg_temp
as $$
    select encode(sha256(convert_to(string_agg(daftari.hashed_field(t), '' order by n), 'UTF8')), 'hex')
    from unnest(said) with ordinality as f(t, n)
$$;

create function daftari.audit_entry_hash(e daftari.audit_entry) returns text
    language sql immutable
    set search_path = pg_catalog, pg_temp
as $$
    select daftari.hashed(array[
        'daftari.audit.entry.1', e.entry_id::text,
        to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        e.operation, e.relation, e.actor, e.login, e.role, e.purpose, e.run_id::text, e.request_id,
        array_to_json(e.key)::text, e.rows::text, e.digest, e.detail::text
    ])
$$;

create function daftari.audit_link_hash(previous text, "position" bigint, entry_id bigint, entry_hash text)
    returns text
    language sql immutable
    set search_path = pg_catalog, pg_temp
as $$
    select daftari.hashed(array[
        'daftari.audit.link.1', previous, "position"::text, entry_id::text, entry_hash
    ])
$$;


-- --- what writes entries

create function daftari.write_audit(
    entry daftari.audit_entry
) returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    insert into daftari.audit_entry (
        entry_id, at, operation, relation, actor, login, role, purpose, run_id, request_id, key, rows, digest, detail
    )
    values (
        entry.entry_id, entry.at, entry.operation, entry.relation,
        daftari.actor(), session_user,
        -- in a security definer function current_user is its owner; the setting is what the session took on
        coalesce(nullif(current_setting('role'), 'none'), session_user),
        nullif(current_setting('daftari.purpose', true), ''),
        daftari.current_run(),
        nullif(current_setting('daftari.request_id', true), ''),
        coalesce(entry.key, '{}'), entry.rows, entry.digest, entry.detail
    );
    insert into daftari.audit_pending (entry_id, at) values (entry.entry_id, entry.at);
end;
$$;

-- A new entry of *operation* on *relation*, to be filled in and written.
create function daftari.new_entry(operation text, relation text) returns daftari.audit_entry
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    entry daftari.audit_entry;
begin
    entry.entry_id := nextval('daftari.audit_entry_number');
    entry.at := clock_timestamp();
    entry.operation := operation;
    entry.relation := relation;
    return entry;
end;
$$;

-- What an update is told as, row by row: a query for the old and the new row of each, as JSON. A row of one key is
-- told by its key and by what changed; one whose key changed leaves whole under the old one and comes whole under the
-- new one. Without a key, rows are paired by their order, which is the same in both tables, and told whole.
create function daftari.told_changes(relation oid, key text[]) returns text
    language plpgsql stable
    set search_path = pg_catalog, pg_temp
as $$
declare
    side text;
    told text[] := '{}';
begin
    if cardinality(key) = 0 then
        return 'select row_to_json(o.r)::text as old, row_to_json(a.r)::text as new '
            'from (select r, row_number() over () as n from removed r) o '
            'join (select r, row_number() over () as n from added r) a using (n)';
    end if;
    foreach side in array array['o', 'a'] loop
        told := told || (
            select format(
                'case when o.%1$I is null or a.%1$I is null then row_to_json(%2$s)::text else concat(''{''%3$s, ''}'') end',
                key[1], side, string_agg(
                    case
                        when c.attname = key[1] then format(', %L, to_json(%s.%I)', c.name, side, c.attname)
                        when c.attname = any(key) then format(', %L, to_json(%s.%I)', ',' || c.name, side, c.attname)
                        else format(
                            ', case when o.%1$I is distinct from a.%1$I '
                            'then %2$L || coalesce(to_json(%3$s.%1$I)::text, ''null'') end',
                            c.attname, ',' || c.name, side
                        )
                    end, '' order by c.attname <> key[1], c.attnum
                )
            )
            from (
                select attname, attnum, to_json(attname)::text || ':' as name
                from pg_attribute
                where attrelid = relation and attnum > 0 and not attisdropped
            ) c
        );
    end loop;
    return format(
        'select %s as old, %s as new from removed o full join added a on %s', told[1], told[2],
        (select string_agg(format('o.%1$I = a.%1$I', k), ' and ') from unnest(key) k)
    );
end;
$$;

-- After update or delete, by statement. Arguments: the governed table, then the fields of its key.
create function daftari.audit_change() returns trigger
    language plpgsql
    security definer
    set search_path = pg_catalog, pg_temp
    -- one text for one value, whatever the session prefers
    set timezone = 'UTC'
    set datestyle = 'ISO'
    set intervalstyle = 'postgres'
    set bytea_output = 'hex'
    set extra_float_digits = 1
    -- a merge switches these off for its own plans
    set enable_hashjoin = on
    set enable_mergejoin = on
    set jit = off
as $$
declare
    entry   daftari.audit_entry := daftari.new_entry(lower(tg_op), tg_table_schema || '.' || tg_argv[0]);
    changed text := 'select row_to_json(o)::text as old, null::text as new from removed o';
begin
    entry.key := coalesce(tg_argv[1:], '{}');
    if tg_op = 'UPDATE' then
        changed := daftari.told_changes(tg_relid, entry.key);
    end if;
    execute format($write$
        with changed as materialized (
            select row_number() over () as n, c.old, c.new from (%s) c
        ), written as (
            insert into daftari.audit_row (entry_id, at, n, old, new)
            select $1, $2, n, old, new from changed
        ), blocks as (
            select (n - 1) / 1000 as block, count(*) as rows,
                   sha256(convert_to(
                       string_agg(concat(old, E'\n', new, E'\n'), '' order by n), 'UTF8'
                   )) as hash
            from changed
            group by block
        )
        select coalesce(sum(rows), 0), encode(sha256(string_agg(hash, '' order by block)), 'hex') from blocks
    $write$, changed) into entry.rows, entry.digest using entry.entry_id, entry.at;
    if entry.rows > 0 then
        if tg_table_name <> tg_argv[0] then
            entry.detail := json_build_object('partition', tg_table_name);
        end if;
        perform daftari.write_audit(entry);
    end if;
    return null;
end;
$$;

-- After insert, by statement. Rows of a run are recorded as its batch; the others are known by created_at, which
-- is when their transaction began. Looking at the rows themselves would slow every load.
create function daftari.audit_insert() returns trigger
    language plpgsql
    security definer
    set search_path = pg_catalog, pg_temp
    set timezone = 'UTC'
as $$
declare
    entry daftari.audit_entry;
begin
    if daftari.current_run() is not null then
        return null;
    end if;
    entry := daftari.new_entry('insert', tg_table_schema || '.' || tg_argv[0]);
    entry.key := coalesce(tg_argv[1:], '{}');
    entry.detail := json_build_object('created_at', now());
    perform daftari.write_audit(entry);
    return null;
end;
$$;

-- Before truncate: the rows are counted while they are there.
create function daftari.audit_truncate() returns trigger
    language plpgsql
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    entry daftari.audit_entry := daftari.new_entry('truncate', tg_table_schema || '.' || tg_argv[0]);
begin
    execute format('select count(*) from %I.%I', tg_table_schema, tg_table_name) into entry.rows;
    if tg_table_name <> tg_argv[0] then
        entry.detail := json_build_object('partition', tg_table_name);
    end if;
    perform daftari.write_audit(entry);
    return null;
end;
$$;

-- A batch of a run: the rows themselves are the record, and their _run_id ties them to it.
create function daftari.record_batch(relation text, operation text, rows bigint, digest text) returns void
    language plpgsql
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    entry daftari.audit_entry := daftari.new_entry(operation, relation);
begin
    if daftari.current_run() is null or operation not in ('insert', 'merge') then
        raise exception 'a batch is recorded by the session of its run alone'
            using errcode = 'object_not_in_prerequisite_state',
                  hint = 'Load through daftari.';
    end if;
    entry.rows := rows;
    entry.digest := digest;
    perform daftari.write_audit(entry);
end;
$$;

-- A read of restricted values: what was read, how many rows, for what. Belongs into the reader's transaction.
create function daftari.record_read(relation text, columns text[], rows bigint, purpose text) returns void
    language plpgsql
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    entry  daftari.audit_entry;
    before text := coalesce(current_setting('daftari.purpose', true), '');
begin
    if coalesce(trim(purpose), '') = '' then
        raise exception 'a read of % has no purpose', relation
            using errcode = 'invalid_parameter_value',
                  hint = 'Say what it is for: set daftari.purpose, or give it with the call.';
    end if;
    entry := daftari.new_entry('read', relation);
    entry.rows := rows;
    entry.detail := json_build_object('columns', columns);
    perform set_config('daftari.purpose', trim(purpose), true);
    perform daftari.write_audit(entry);
    perform set_config('daftari.purpose', before, true);
end;
$$;


-- --- the chain

-- Gives every committed entry that waits its place in the chain; returns how many there were.
create function daftari.chain_audit() returns bigint
    language plpgsql
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    waiting record;
    place   bigint;
    head    text;
    chained bigint := 0;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'the chain is added to in a transaction that sees what others have committed'
            using errcode = 'invalid_transaction_state', hint = 'Use isolation level read committed.';
    end if;
    perform pg_advisory_xact_lock(hashtext('daftari.audit_chain'));
    -- a statement of its own: it sees what was committed while this one waited
    select l.position, l.hash into place, head from daftari.audit_link l order by l.position desc limit 1;
    if not found then
        place := 0;
        head := (select log_id::text from daftari.audit_log);
    end if;
    for waiting in
        with taken as (
            delete from daftari.audit_pending returning entry_id, at
        )
        select t.entry_id, t.at,
               case when e.entry_id is not null then daftari.audit_entry_hash(e) end as entry_hash
        from taken t
        left join daftari.audit_entry e on e.entry_id = t.entry_id and e.at = t.at
        order by t.entry_id
    loop
        place := place + 1;
        chained := chained + 1;
        head := daftari.audit_link_hash(head, place, waiting.entry_id, waiting.entry_hash);
        insert into daftari.audit_link (position, entry_id, at, entry_hash, hash)
        values (place, waiting.entry_id, waiting.at, waiting.entry_hash, head);
    end loop;
    return chained;
end;
$$;


-- --- append-only

-- Argument: the table whose records it keeps, also where it stands on a partition of it.
create function daftari.refuse_change() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception '% of %.% is refused: the audit is only added to', lower(tg_op), tg_table_schema, tg_table_name
        using errcode = 'insufficient_privilege',
              hint = 'What was recorded stays. `daftari audit export` writes it out.';
end;
$$;

-- Triggers by row reach the partitions by themselves; those before truncate are made with each partition.
do $$
declare
    kept text;
begin
    foreach kept in array array['audit_log', 'audit_entry', 'audit_row', 'audit_link', 'audit_checkpoint'] loop
        execute format(
            'create trigger refuse_change before update or delete on daftari.%1$I '
            'for each row execute function daftari.refuse_change(%1$L)', kept
        );
        execute format('alter table daftari.%I enable always trigger refuse_change', kept);
        execute format(
            'create trigger refuse_truncate before truncate on daftari.%1$I '
            'for each statement execute function daftari.refuse_change(%1$L)', kept
        );
        execute format('alter table daftari.%I enable always trigger refuse_truncate', kept);
    end loop;
end;
$$;

-- Makes the partition *named* of *kept*, with its triggers. *bounds* are as `create table` has them.
create function daftari.make_audit_partition(kept text, named text, bounds text) returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    execute format('create table daftari.%I partition of daftari.%I %s', named, kept, bounds);
    execute format(
        'create trigger refuse_truncate before truncate on daftari.%I '
        'for each statement execute function daftari.refuse_change(%L)', named, kept
    );
    execute format('alter table daftari.%I enable always trigger refuse_truncate', named);
end;
$$;

-- Makes the partitions of *months* months from the one of *first* on; returns those that were not there.
-- A month whose entries lie in the default partition already keeps them there.
create function daftari.make_audit_partitions(first date, months integer) returns setof text
    language plpgsql
    set search_path = pg_catalog, pg_temp
    set timezone = 'UTC'
as $$
declare
    kept  text;
    month timestamp;
    named text;
    taken boolean;
begin
    foreach kept in array array['audit_entry', 'audit_row'] loop
        for month in
            select generate_series(
                date_trunc('month', first::timestamp),
                date_trunc('month', first::timestamp) + make_interval(months => months - 1),
                '1 month'
            )
        loop
            named := kept || to_char(month, '_YYYY_MM');
            execute format(
                'select exists (select from daftari.%I where at >= %L and at < %L)',
                kept || '_default', month, month + interval '1 month'
            ) into taken;
            continue when taken or to_regclass(format('daftari.%I', named)) is not null;
            perform daftari.make_audit_partition(
                kept, named, format('for values from (%L) to (%L)', month, month + interval '1 month')
            );
            return next named;
        end loop;
    end loop;
end;
$$;

select daftari.make_audit_partition(kept, kept || '_default', 'default')
from unnest(array['audit_entry', 'audit_row']) kept;


-- --- changes of shape. The event triggers that call these are made by `apply`, where its login may.

create function daftari.watch_drops() returns event_trigger
    language plpgsql
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    gone  record;
    entry daftari.audit_entry;
begin
    for gone in
        select d.object_type, d.object_identity
        from pg_event_trigger_dropped_objects() d
        where d.object_type in ('schema', 'table', 'trigger', 'function', 'policy')
          and (d.original or d.object_type = 'table')
          and not d.is_temporary
          and coalesce(d.schema_name, d.address_names[1]) in ('ops', 'daftari')
    loop
        entry := daftari.new_entry('drop', gone.object_identity);
        entry.detail := json_build_object('type', gone.object_type, 'command', tg_tag);
        perform daftari.write_audit(entry);
    end loop;
end;
$$;

-- The statement's own text is not kept: it may hold values of rows.
create function daftari.watch_commands() returns event_trigger
    language plpgsql
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    done  record;
    apart record;
    entry daftari.audit_entry;
begin
    for done in
        select c.classid, c.objid, c.object_type, c.object_identity
        from pg_event_trigger_ddl_commands() c
        where c.schema_name in ('ops', 'daftari')
           or c.object_type in ('trigger', 'policy') and c.object_identity ~ ' on "?(ops|daftari)"?\.'
    loop
        entry := daftari.new_entry('alter', done.object_identity);
        entry.detail := json_build_object('type', done.object_type, 'command', tg_tag);
        perform daftari.write_audit(entry);
        -- our triggers name the table that a partition is of: one that is no partition any more was detached
        for apart in
            select distinct n.nspname || '.' || c.relname as relation
            from pg_class p
            join pg_trigger t on split_part(encode(t.tgargs, 'escape'), '\000', 1) = p.relname
            join pg_class c on c.oid = t.tgrelid
            join pg_namespace n on n.oid = c.relnamespace
            where tg_tag = 'ALTER TABLE'
              and done.classid = 'pg_class'::regclass
              and p.oid = done.objid
              and p.relkind = 'p'
              and c.relnamespace = p.relnamespace
              and c.relkind = 'r'
              and not c.relispartition
              and t.tgfoid in (
                  'daftari.audit_truncate'::regproc, 'daftari.refuse_change'::regproc
              )
              and not exists (
                  select from daftari.audit_entry e
                  where e.operation = 'detach' and e.relation = n.nspname || '.' || c.relname
              )
        loop
            entry := daftari.new_entry('detach', apart.relation);
            entry.detail := json_build_object('type', 'table', 'command', tg_tag);
            perform daftari.write_audit(entry);
        end loop;
    end loop;
end;
$$;


-- Entries are written by what is above alone.
revoke execute on function daftari.write_audit(daftari.audit_entry) from public;
revoke execute on function daftari.chain_audit() from public;
revoke execute on function daftari.make_audit_partition(text, text, text) from public;
revoke execute on function daftari.make_audit_partitions(date, integer) from public;


-- --- where names are looked for

-- An empty search_path still begins with the session's temporary schema: a login could put a table or a type of its
-- own, such as text, in the way of ours, and have a definer's function run its code. Named last, it is looked in last.
do $$
declare
    ours regprocedure;
begin
    for ours in
        select p.oid
        from pg_catalog.pg_proc p
        where p.pronamespace = 'daftari'::regnamespace
          and 'search_path=""' = any(p.proconfig)
          and not exists (select from pg_catalog.pg_depend d where d.objid = p.oid and d.deptype = 'e')
    loop
        execute format('alter function %s set search_path = pg_catalog, pg_temp', ours);
    end loop;
end;
$$;


-- --- undoing a run

alter table daftari.run
    add column removed bigint not null default 0 check (removed >= 0),  -- rows that an undo took away
    add column undoes  bigint unique references daftari.run,  -- the run that this one took back
    drop constraint run_kind_check,
    add constraint run_kind_check
        check (kind in ('load', 'replay', 'transform', 'check', 'pipeline', 'undo')),
    drop constraint run_conserves_rows,
    add constraint run_conserves_rows
        check (received = inserted + updated + unchanged + duplicate + quarantined + removed),
    add constraint run_removes_only_to_undo check (removed = 0 or undoes is not null);


-- --- the batches recorded so far

insert into daftari.audit_entry (entry_id, at, operation, relation, actor, login, role, run_id, rows, digest)
select nextval('daftari.audit_entry_number'), b.at, b.operation, b.relation, b.actor, b.actor, b.actor,
       b.run_id, b.rows, b.digest
from (select * from daftari.batch_audit order by run_id) b;
insert into daftari.audit_pending (entry_id, at) select entry_id, at from daftari.audit_entry;
drop table daftari.batch_audit;
