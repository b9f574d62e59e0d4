-- The contracts that were applied to governed tables.

-- Names the contract in force, so that `plan` and `verify` can detect a newer file in the workspace.
create table daftari.contract_marker (
    dataset     text        primary key,
    contract_id text        not null,
    version     text        not null,
    hash        text        not null,  -- of the contract in its normal form
    document    text        not null,  -- the normal form itself: the next contract is compared with it
    applied_at  timestamptz not null
);

comment on table daftari.contract_marker is 'The contract that each governed table was last brought to.';

-- Keeps every contract that was ever in force, because the marker holds only the last one.
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

-- Copies each new marker into the history, so that no caller can forget it.
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

create trigger keep_contract
    after insert or update on daftari.contract_marker
    for each row
    execute function daftari.keep_contract();
