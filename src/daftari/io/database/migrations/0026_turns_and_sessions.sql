-- A run belongs to the login and the session that began it, and what only one session may do at a time waits for a row
-- of a table. Before, both were advisory locks, which any login can take: to stop all work, or to act as a run that was
-- killed.
-- What only one session may do at a time, one row each. Rows, since any login may take an advisory lock.
create table daftari.turn (
    name text primary key
);

comment on table daftari.turn is 'Locks of the platform. Whoever holds a row''s lock has the turn.';

-- Waits for the turn called *name*, and holds it to the end of the transaction. With the rights of the session: who may
-- not write the table takes no turn.
create function daftari.take_turn(name text) returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    insert into daftari.turn values (take_turn.name) on conflict do nothing;
    perform from daftari.turn t where t.name = take_turn.name for update;
end;
$$;

-- --- runs

alter table daftari.run
    add column session_pid   integer,
    add column session_began timestamptz;

alter table daftari.run alter column session_pid set default pg_backend_pid();

-- Whether the session that began a run is still there. Of another login's sessions the server does not show when they
-- began; then the process number and the login count.
create function daftari.lives(began_by daftari.run) returns boolean
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select from pg_stat_activity a
        where a.pid = began_by.session_pid
          and a.datname = current_database()
          and a.usename = began_by.actor
          and coalesce(a.backend_start = began_by.session_began, true)
    )
$$;

-- The run that this session is in. The number is a setting, which anyone can set, so it counts only for the login and
-- the process that began the run.
create or replace function daftari.current_run() returns bigint
    language plpgsql
    stable
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
          and r.actor = session_user
          and r.session_pid = pg_backend_pid()
    );
end;
$$;

-- --- the chain

-- Gives every committed entry its place in the chain; returns how many it placed. Its turn admits one session at a
-- time, and `read committed` lets it see what was committed while it waited.
create or replace function daftari.chain_audit() returns bigint
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
