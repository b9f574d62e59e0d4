-- Who may call the API and use the control room. Only digests of tokens and cookies are stored.

-- One row for each token of the API.
create table daftari.api_token (
    name         text        primary key,
    sha256       bytea       not null unique check (octet_length(sha256) = 32),
    role         text        not null,  -- as contracts name it
    user_id      text,  -- the person that it acts for; null for a program
    datasets     text[]      not null default '{}',  -- that it may access; empty: all
    writes       boolean     not null default true,
    created_at   timestamptz not null default now(),
    created_by   name        not null default session_user,
    expires_at   timestamptz not null,
    revoked_at   timestamptz,
    last_used_at timestamptz
);

comment on table daftari.api_token is 'Callers of the API, each by the digest of its token.';

-- One row for each signed-in browser, by one of our tokens or by an OpenID Connect issuer, never by both.
create table daftari.web_session (
    sha256   bytea       primary key check (octet_length(sha256) = 32),  -- of the browser's cookie
    token    text        references daftari.api_token,
    began_at timestamptz not null,
    ends_at  timestamptz not null check (ends_at > began_at),
    actor    text,  -- as the audit names a person of an issuer
    role     text,
    user_id  text,

    constraint web_session_of_one check (
        case when token is null then actor is not null and role is not null
             else actor is null and role is null and user_id is null end
    )
);

create index web_session_token on daftari.web_session (token);
create index web_session_ends on daftari.web_session (ends_at);

comment on table daftari.web_session is 'Browsers that are signed in to the control room, each by a digest.';
