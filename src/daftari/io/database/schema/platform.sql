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
