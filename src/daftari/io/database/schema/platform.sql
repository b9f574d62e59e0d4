-- The schemas, and the list of migrations that created them.

-- Everything of the platform itself. Roles of contracts have rights here only on the functions below.
create schema daftari;

-- The governed tables, one for each dataset.
create schema ops;

-- The views that dbt builds marts from.
create schema staging;

-- The published marts.
create schema marts;

-- The views that show masked cells to roles that may not see the values.
create schema views;

-- Shows which migrations a database still lacks. The digest reveals a migration that was edited after it ran.
create table daftari.migration (
    name       text        primary key,
    sha256     text        not null check (sha256 ~ '^[0-9a-f]{64}$'),
    applied_at timestamptz not null default clock_timestamp()
);

comment on table daftari.migration is 'Platform migrations that were run, in order of their names.';

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
