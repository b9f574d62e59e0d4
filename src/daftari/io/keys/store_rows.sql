-- The key store. Not part of a governed database: a SQLite file of the workspace, or a separate PostgreSQL
-- database. Both run every statement here except the first. Values of `subject` never leave it.

-- name: make_alone
select pg_advisory_xact_lock(hashtext('daftari.keys'));

-- name: make_state
-- One row. A rotation begins a generation; a new wrapping key begins an epoch.
create table if not exists key_state (
    only_one integer primary key check (only_one = 1),
    generation integer not null check (generation between 1 and 65535),
    is_rotating integer not null check (is_rotating in (0, 1)),
    epoch integer not null check (epoch >= 1),
    wrapped_by text not null
);

-- name: make_key
-- A destroyed key keeps only its number, so that a value sealed under it can be distinguished from damage.
create table if not exists data_key (
    key_id bytea primary key,
    scope text not null,
    subject text not null,
    destroyed_at text,
    check (destroyed_at is null or subject = '')
);

-- name: make_owner
create unique index if not exists data_key_owner on data_key (subject, scope) where destroyed_at is null;

-- name: make_version
create table if not exists data_key_version (
    key_id bytea not null references data_key,
    version integer not null,
    epoch integer not null,
    wrapped bytea not null,
    primary key (key_id, version)
);

-- name: make_epoch_index
create index if not exists data_key_version_epoch on data_key_version (epoch);

-- name: begin_state
insert into key_state (only_one, generation, is_rotating, epoch, wrapped_by)
values (1, 1, 0, :epoch, :wrapped_by)
on conflict (only_one) do nothing;

-- name: lock
-- Takes the write lock of either database until the transaction ends: sessions that add keys and sessions that begin
-- an epoch wait for each other.
update key_state set epoch = epoch;

-- name: state
select generation, is_rotating, epoch, wrapped_by from key_state;

-- name: keys_of
select k.subject, k.key_id, v.version, v.epoch, v.wrapped
from data_key k
left join data_key_version v on v.key_id = k.key_id and v.version = :generation
where k.scope = :scope and k.subject in :subjects and k.destroyed_at is null;

-- name: versions_of
select k.key_id, k.destroyed_at, v.version, v.epoch, v.wrapped
from data_key k
left join data_key_version v on v.key_id = k.key_id
where k.key_id in :key_ids;

-- name: begin_rotation
update key_state set generation = generation + 1, is_rotating = 1 where is_rotating = 0;

-- name: end_rotation
update key_state set is_rotating = 0;

-- name: begin_epoch
update key_state set epoch = :epoch where epoch < :epoch;

-- name: outdated
-- Versions still wrapped by a key of an earlier epoch.
select key_id, version, epoch, wrapped from data_key_version
where epoch < :epoch
order by key_id, version
limit :limit;

-- name: rewrap
update data_key_version set epoch = :epoch, wrapped = :wrapped
where key_id = :key_id and version = :version and epoch < :epoch;

-- name: owned
select key_id from data_key where scope = :scope and subject = :subject and destroyed_at is null;

-- name: destroy_versions
delete from data_key_version where key_id = :key_id;

-- name: destroy
update data_key set destroyed_at = :now, subject = '' where key_id = :key_id and destroyed_at is null;

-- name: counts
select (select count(*) from data_key where destroyed_at is null) as keys,
       (select count(*) from data_key where destroyed_at is not null) as destroyed,
       (select count(*) from data_key_version) as versions,
       (select count(*) from data_key_version v, key_state s where v.epoch < s.epoch) as outdated;
