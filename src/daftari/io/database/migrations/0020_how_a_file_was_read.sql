-- How the file of a run was read: rows of a key that a later row replaced, records that are no rows, and remarks.
--
-- Promises, each with a test of the same name in tests/db/test_ledger.py:
--   1. a superseded row is counted once, like every received row.
alter table daftari.run
    add column superseded bigint not null default 0 check (superseded >= 0),
    add column left_out jsonb,
    add column remarks jsonb,
    drop constraint run_conserves_rows,
    add constraint run_conserves_rows check (
        received = inserted + updated + unchanged + duplicate + superseded + quarantined + removed
    );
