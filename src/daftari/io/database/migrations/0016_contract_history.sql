-- Every contract that a governed table was ever brought to, beside the one in force.

create table daftari.contract_history (
    dataset     text        not null,
    version     text        not null,
    hash        text        not null,
    document    text        not null,
    applied_at  timestamptz not null,
    applied_by  text        not null default session_user,
    history_id  bigint      generated always as identity primary key
);

create index contract_history_dataset on daftari.contract_history (dataset, history_id);

comment on table daftari.contract_history is 'The contracts that governed tables were brought to, one after another.';

create function daftari.keep_contract() returns trigger
    language plpgsql
    set search_path = ''
as $$
begin
    insert into daftari.contract_history (dataset, version, hash, document, applied_at)
    values (new.dataset, new.version, new.hash, new.document, new.applied_at);
    return null;
end;
$$;

create trigger keep_contract after insert or update on daftari.contract_marker
    for each row execute function daftari.keep_contract();

-- What is in force where this comes to a database that has been governed for a while.
insert into daftari.contract_history (dataset, version, hash, document, applied_at)
select dataset, version, hash, document, applied_at from daftari.contract_marker;
