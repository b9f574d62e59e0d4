-- Refused rows can be mended where they are: their cells are kept, sealed, until the row is resolved.
--
-- Promises, each with a test of the same name in tests/db/test_mend_rows.py:
--   1. the cells of a refused row are kept sealed;
--   2. they are gone once the row is resolved.

alter table daftari.quarantine add column cells bytea;

comment on column daftari.quarantine.cells is
    'The row as it came, each value that could be read in its canonical form; JSON, sealed under the dataset''s key.';
