-- Rules over sums are judged when a row is written.

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
