-- What governed tables stand on: the marker of the contract in force, and the functions of their triggers.
--
-- Promises, each with a test of the same name in tests/db/test_governed_tables.py:
--   1. the marker names the contract that the database was last brought to;
--   2. updated_at moves with every update, whatever the statement says;
--   3. a key is unique across the partitions of its table, and is free again when its row goes.

create table daftari.contract_marker (
    dataset     text        primary key,
    contract_id text        not null,
    version     text        not null,
    hash        text        not null,  -- of the contract in its normal form
    document    text        not null,  -- that form: what the next contract is compared with
    applied_at  timestamptz not null
);

comment on table daftari.contract_marker is 'The contract that each governed table was last brought to.';


create function daftari.set_updated_at() returns trigger
    language plpgsql
    set search_path = ''
as $$
begin
    new.updated_at := clock_timestamp();
    return new;
end;
$$;


-- Keeps daftari.key_<dataset>, whose primary key is the contract's own, in step with a partitioned table.
-- Arguments: the key table, the field of the partitions, then the fields of the key.
-- Fires by statement, so that a bulk load pays for it once. Rows that reach a partition not by way of its
-- table are not seen.
create function daftari.keep_keys() returns trigger
    language plpgsql
    security definer  -- who may write rows need not be able to write keys
    set search_path = ''
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
