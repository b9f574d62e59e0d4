-- The audit: who changed or read what, when, for what purpose and in which run.
-- docs/reference/audit-chain.md defines each hash; the chain over the entries is in audit_chain.sql.

-- Numbers the entries. A sequence, so that writers do not wait for one another.
create sequence daftari.audit_entry_number;

-- One statement, batch, read, review or change of a table's shape.
create table daftari.audit_entry (
    entry_id   bigint      not null,
    at         timestamptz not null,
    operation  text        not null check (operation in (
        'insert', 'merge', 'update', 'delete', 'truncate', 'read', 'alter', 'detach', 'drop', 'review'
    )),
    relation   text        not null,  -- schema.table; for a change of shape: the object as PostgreSQL names it
    actor      text        not null,
    login      text        not null,  -- session_user
    role       text        not null,  -- the role that the session had taken on
    purpose    text,
    run_id     bigint,
    request_id text,
    key        text[]      not null default '{}',  -- the columns that name a row
    rows       bigint      check (rows >= 0),
    digest     text,  -- in hex: of a batch, over its rows as sent; otherwise over the entry's rows, in blocks of 1000
    detail     json,
    primary key (entry_id, at)
)
partition by range (at);

create index audit_entry_relation on daftari.audit_entry (relation, at);
create index audit_entry_run on daftari.audit_entry (run_id) where run_id is not null;

comment on table daftari.audit_entry is 'Who changed, read or reshaped what, and in which run. Append-only.';

-- The old and new values of each row that an entry changed: its key and what changed, or the whole deleted row.
-- JSON as text, since it is hashed and json or jsonb could be printed differently.
create table daftari.audit_row (
    entry_id bigint      not null,
    at       timestamptz not null,
    n        bigint      not null,  -- within its entry, from 1
    old      text,
    new      text
)
partition by range (at);

create index audit_row_entry on daftari.audit_row (entry_id, n);

comment on table daftari.audit_row is 'Each row that an entry changed, as it was and as it became. Append-only.';

-- Entries without a place in the chain yet. A separate table, because entries are never updated.
create table daftari.audit_pending (
    entry_id bigint      primary key,
    at       timestamptz not null
);


-- --- who, and in which run

-- Who acted. A service acts for others, so its word counts; for any other login it is the login.
create function daftari.actor() returns text
    language sql
    stable
    set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        case when daftari.is_service() then nullif(current_setting('daftari.actor', true), '') end,
        session_user
    )
$$;

-- The run that this session is in. The number is a setting, which anyone can set, so it counts only for the login and
-- the process that began the run.
create function daftari.current_run() returns bigint
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


-- --- how things are hashed

-- One text as part of the hashed bytes, preceded by its length, so that no two lists of texts give the same bytes.
create function daftari.hashed_field(said text) returns text
    language sql
    immutable
as $$ select coalesce(octet_length(said) || ':' || said || ',', '-') $$;

-- The hash of a list of texts. Both kinds of hash below use it.
create function daftari.hashed(said text[]) returns text
    language sql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
    select encode(sha256(convert_to(string_agg(daftari.hashed_field(t), '' order by n), 'UTF8')), 'hex')
    from unnest(said) with ordinality as f(t, n)
$$;

-- The hash of one entry. The first text names the format, so that a later format can be distinguished.
create function daftari.audit_entry_hash(e daftari.audit_entry) returns text
    language sql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
    select daftari.hashed(array[
        'daftari.audit.entry.1', e.entry_id::text,
        to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        e.operation, e.relation, e.actor, e.login, e.role, e.purpose, e.run_id::text, e.request_id,
        array_to_json(e.key)::text, e.rows::text, e.digest, e.detail::text
    ])
$$;

-- The hash of one link, which contains the hash of the link before: a changed entry breaks every later link.
create function daftari.audit_link_hash(previous text, "position" bigint, entry_id bigint, entry_hash text)
    returns text
    language sql
    immutable
    set search_path = pg_catalog, pg_temp
as $$
    select daftari.hashed(array[
        'daftari.audit.link.1', previous, "position"::text, entry_id::text, entry_hash
    ])
$$;


-- --- what writes entries

-- Fills in what the session states about itself, and writes the entry. The only writer of both tables.
create function daftari.write_audit(
    entry daftari.audit_entry
) returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    purpose    text := nullif(current_setting('daftari.purpose', true), '');
    request_id text := nullif(current_setting('daftari.request_id', true), '');
begin
    -- What was recorded stays for ever, so a session may not record as much as it likes.
    if length(purpose) > 1000 or length(request_id) > 1000000 then
        raise exception 'daftari.purpose has more than 1000 characters, or daftari.request_id more than 1000000'
            using errcode = 'string_data_right_truncation', hint = 'Say it in fewer words.';
    end if;
    insert into daftari.audit_entry (
        entry_id, at, operation, relation, actor, login, role, purpose, run_id, request_id, key, rows, digest, detail
    )
    values (
        entry.entry_id, entry.at, entry.operation, entry.relation,
        daftari.actor(), session_user,
        -- in a security definer function current_user is its owner; the setting is what the session took on
        coalesce(nullif(current_setting('role'), 'none'), session_user),
        purpose,
        daftari.current_run(),
        request_id,
        coalesce(entry.key, '{}'), entry.rows, entry.digest, entry.detail
    );
    insert into daftari.audit_pending (entry_id, at) values (entry.entry_id, entry.at);
end;
$$;

-- A new entry of an operation on a relation, with its number and time; the caller fills in the rest.
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

-- Returns the query for the old and the new values of each updated row, as JSON. A row is found by its key and shows
-- its key and what changed. A row whose key changed shows completely, once under each key. Without a key, rows are
-- paired by their order, which is the same in both transition tables, and show completely.
create function daftari.told_changes(relation oid, key text[]) returns text
    language plpgsql
    stable
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

-- Audits an update or a delete, once for each statement. Arguments: the governed table, the columns of its key.
-- Its settings print each value as one text, whatever the session's own; a merge turns joins off for its own plans.
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

-- Audits an insert, once for each statement. Rows of a run are recorded as a batch instead; others are found by their
-- created_at, the start of their transaction, since reading the rows would slow every load.
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

-- Audits a truncate, before it happens: afterwards the rows cannot be counted.
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

-- Records a batch of a run. The rows themselves are the record, and their _run_id ties them to the run.
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

-- Records a read of restricted values, in the reader's transaction; a read without a purpose is refused.
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

-- Records an event of an access review, in the same transaction.
create function daftari.record_review(detail json) returns void
    language plpgsql
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    entry daftari.audit_entry := daftari.new_entry('review', 'daftari.access_review');
begin
    entry.detail := detail;
    perform daftari.write_audit(entry);
end;
$$;

-- Only these functions write entries; record_batch and record_read check their caller themselves.
revoke execute on function daftari.write_audit(daftari.audit_entry) from public;
revoke execute on function daftari.record_review(json) from public;
