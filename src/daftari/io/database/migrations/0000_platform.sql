-- The platform's own schema, and the list of what was run to make it.

create schema if not exists daftari;
create schema if not exists ops;
create schema if not exists staging;
create schema if not exists marts;

create table daftari.migration (
    name       text        primary key,
    sha256     text        not null check (sha256 ~ '^[0-9a-f]{64}$'),
    applied_at timestamptz not null default clock_timestamp()
);

comment on table daftari.migration is 'Platform migrations that were run, in order of their names.';
