-- The access review: who could reach what at its start, the decision on each access, and the outcome.

-- One review. It is closed as a whole: when, by whom and with which digest.
create table daftari.access_review (
    review_id  integer     primary key generated always as identity,
    quarter    text        not null check (quarter ~ '^[0-9]{4}q[1-4]$'),
    deadline   date        not null,
    started_at timestamptz not null,
    started_by text        not null default daftari.actor(),
    closed_at  timestamptz,
    closed_by  text,
    digest     text,  -- sha256 of the review when it was closed; the audit has it too

    constraint access_review_is_closed_whole
        check ((closed_at is null) = (closed_by is null) and (closed_at is null) = (digest is null))
);

-- Only one review is open at a time; otherwise a decision could be made in two places.
create unique index access_review_is_open_once on daftari.access_review ((true)) where closed_at is null;

comment on table daftari.access_review is 'Each review of who can reach what.';

-- An access that one statement can take away: a membership, a grant, an attribute of a login, an ownership.
create table daftari.access_review_entry (
    review_id  integer  not null references daftari.access_review,
    entry_no   integer  not null,
    kind       text     not null check (kind in (
        'membership', 'grant', 'owner', 'attribute', 'default', 'function', 'view'
    )),
    grantee    text     not null,  -- a login, a role, or public
    object     text     not null,  -- the role, the relation, the attribute, the schema or the function
    means      text[]   not null default '{}',  -- privileges; of a default privilege also who makes the tables
    through    text[]   not null default '{}',  -- roles or views on the way
    reach      json     not null,  -- the relations it leads to: privileges, columns, rows, or why they are not counted
    last_use   timestamptz,  -- as far as the audit knows
    is_new     boolean  not null,  -- the previous review had no such entry
    decision   text     check (decision in ('keep', 'revoke')),
    decided_by text,
    decided_at timestamptz,
    reason     text,
    outcome    text,  -- when the review was closed: kept, revoked, or what is left to do

    primary key (review_id, entry_no),
    constraint access_review_entry_is_decided_whole check (
        (decision is null) = (decided_by is null)
        and (decision is null) = (decided_at is null)
        and (decision is null) = (reason is null)
    ),
    constraint access_review_entry_is_not_decided_by_its_grantee check (decided_by <> grantee)
);

comment on table daftari.access_review_entry is 'What a review found, what was decided, and what came of it.';

-- Refuses a change of a closed review: it is evidence.
create function daftari.refuse_change_of_closed_review() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
begin
    if (select r.closed_at is not null from daftari.access_review r where r.review_id = old.review_id) then
        raise exception 'access review % is closed', old.review_id
            using errcode = 'object_not_in_prerequisite_state', hint = 'Start another: daftari review start.';
    end if;
    return case when tg_op = 'DELETE' then old else new end;
end;
$$;

create trigger access_review_stays
    before update or delete on daftari.access_review
    for each row
    execute function daftari.refuse_change_of_closed_review();

create trigger access_review_entry_stays
    before update or delete on daftari.access_review_entry
    for each row
    execute function daftari.refuse_change_of_closed_review();
