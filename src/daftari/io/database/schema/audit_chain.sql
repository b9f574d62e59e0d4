-- The chain over the audit's entries, which reveals later changes; the triggers that keep the audit append-only; and
-- the functions that record changes of shape.

-- Identifies this database's chain: the first link follows it, and anchors of another database do not match it.
create table daftari.audit_log (
    log_id  uuid        primary key default gen_random_uuid(),
    made_at timestamptz not null default clock_timestamp()
);

-- A database has one chain.
create unique index audit_log_is_one on daftari.audit_log ((true));

insert into daftari.audit_log default values;

-- One link for each entry, added after commit and by one session at a time, so that the chain has no gap and no fork.
create table daftari.audit_link (
    position   bigint      primary key,
    entry_id   bigint      not null unique,
    at         timestamptz not null,  -- of the entry: names its partition
    entry_hash text,  -- null: the entry was gone before it was chained
    hash       text        not null,
    chained_at timestamptz not null default clock_timestamp()
);

comment on table daftari.audit_link is 'The chain over the entries. Append-only.';

-- Signed statements of how far the chain had come. Their copies outside this database are the proof.
create table daftari.audit_checkpoint (
    position  bigint      primary key,
    hash      text        not null,
    signed_at timestamptz not null,
    signature text        not null
);

-- Gives every committed entry its place in the chain; returns how many it placed. Its turn admits one session at a
-- time, and `read committed` lets it see what was committed while it waited.
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
    perform daftari.take_turn('chain');
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

-- Rejects a change of recorded data. Argument: the table, which a trigger on a partition could not name otherwise.
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

-- On each table of the record: row triggers, which its partitions inherit, and triggers before truncate, which
-- partitions get when they are created. `always`, because session_replication_role would skip them otherwise.
create trigger refuse_change
    before update or delete on daftari.audit_log
    for each row
    execute function daftari.refuse_change('audit_log');
create trigger refuse_truncate
    before truncate on daftari.audit_log
    for each statement
    execute function daftari.refuse_change('audit_log');
alter table daftari.audit_log
    enable always trigger refuse_change,
    enable always trigger refuse_truncate;

create trigger refuse_change
    before update or delete on daftari.audit_entry
    for each row
    execute function daftari.refuse_change('audit_entry');
create trigger refuse_truncate
    before truncate on daftari.audit_entry
    for each statement
    execute function daftari.refuse_change('audit_entry');
alter table daftari.audit_entry
    enable always trigger refuse_change,
    enable always trigger refuse_truncate;

create trigger refuse_change
    before update or delete on daftari.audit_row
    for each row
    execute function daftari.refuse_change('audit_row');
create trigger refuse_truncate
    before truncate on daftari.audit_row
    for each statement
    execute function daftari.refuse_change('audit_row');
alter table daftari.audit_row
    enable always trigger refuse_change,
    enable always trigger refuse_truncate;

create trigger refuse_change
    before update or delete on daftari.audit_link
    for each row
    execute function daftari.refuse_change('audit_link');
create trigger refuse_truncate
    before truncate on daftari.audit_link
    for each statement
    execute function daftari.refuse_change('audit_link');
alter table daftari.audit_link
    enable always trigger refuse_change,
    enable always trigger refuse_truncate;

create trigger refuse_change
    before update or delete on daftari.audit_checkpoint
    for each row
    execute function daftari.refuse_change('audit_checkpoint');
create trigger refuse_truncate
    before truncate on daftari.audit_checkpoint
    for each statement
    execute function daftari.refuse_change('audit_checkpoint');
alter table daftari.audit_checkpoint
    enable always trigger refuse_change,
    enable always trigger refuse_truncate;

-- Creates one partition with its triggers. The bounds are as in `create table`.
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

-- Creates the partitions of some months; returns those that it created. A month whose entries are already in the
-- default partition stays there, because PostgreSQL would refuse a partition for it.
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

-- An entry outside every month is kept, not rejected: a business write must not fail for it.
select daftari.make_audit_partition('audit_entry', 'audit_entry_default', 'default');
select daftari.make_audit_partition('audit_row', 'audit_row_default', 'default');


-- --- changes of shape: `apply` creates the event triggers that call these, where its login may

-- Records what is dropped from ops and daftari.
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

-- Records what is altered in ops and daftari, and a detached partition: one that still has the triggers of its
-- table. The text of the statement is not kept, because it may hold values of rows.
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

-- Only the platform's own functions and `apply` run these.
revoke execute on function daftari.chain_audit() from public;
revoke execute on function daftari.make_audit_partition(text, text, text) from public;
revoke execute on function daftari.make_audit_partitions(date, integer) from public;
