-- What callers of the API write: a run of its own kind, and the answers that are given once more to whoever asks again.
--
-- Promises, each with a test of the same name in tests/db/test_write_rows.py:
--   1. the same key and the same records give the same answer, and write nothing;
--   2. the same key with other records is refused;
--   3. while an answer is being found, nobody else finds one under the same key.

alter table daftari.run
    drop constraint run_kind_check,
    add constraint run_kind_check
        check (kind in ('load', 'replay', 'transform', 'check', 'pipeline', 'undo', 'write'));

-- Not partitioned: a caller has a key once, and not once a month.
create table daftari.stored_answer (
    caller      text        not null,
    key         text        not null,
    fingerprint text        not null,  -- sha256 of what was asked
    run_id      bigint      not null references daftari.run,
    answer      jsonb       not null,  -- what became of each record; no value of any
    at          timestamptz not null default now(),
    primary key (caller, key)
);

create index stored_answer_at on daftari.stored_answer (at);
create index stored_answer_run_id on daftari.stored_answer (run_id);

comment on table daftari.stored_answer is 'Answers to callers who named their request, for when they ask again.';
