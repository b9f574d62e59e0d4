-- The platform's schema as it is now, for reading: a sentence above each object says why it exists.
--
-- Databases are created only by the numbered files in migrations/ (docs/decisions/0019). A test proves that
-- both give the same database, object by object (tests/db/test_schema.py); `daftari verify` compares the functions of a
-- database with those here. To change something, add a migration and edit the file of its subject.
--
-- Not included, because contracts or the server decide them: the governed tables with their keys, policies and grants,
-- the monthly partitions of the audit, roles, and the event triggers. `apply` creates those.
--
-- As one database: psql --single-transaction --file schema.sql. sealing.sql needs the extension pgcrypto.

\ir schema/platform.sql
\ir schema/contracts.sql
\ir schema/callers.sql
\ir schema/governed_tables.sql
\ir schema/runs.sql
\ir schema/approval.sql
\ir schema/checks.sql
\ir schema/sealing.sql
\ir schema/audit.sql
\ir schema/audit_chain.sql
\ir schema/access_review.sql
\ir schema/sign_in.sql
