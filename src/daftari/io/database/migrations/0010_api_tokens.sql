-- Who may call the API: tokens, of which nothing is kept by which one could be made again.
--
-- Promises, each with a test of the same name in tests/db/test_tokens.py:
--   1. a token that is unknown, expired or revoked is nobody's, and which of these is not told;
--   2. the token itself is kept nowhere;
--   3. no role of a contract reads or writes tokens.

create table daftari.api_token (
    name         text        primary key,
    sha256       bytea       not null unique check (octet_length(sha256) = 32),
    role         text        not null,  -- as contracts call it
    user_id      text,  -- for whom it acts; null for a program that is nobody
    datasets     text[]      not null default '{}',  -- that it may name; empty: all
    writes       boolean     not null default true,
    created_at   timestamptz not null default now(),
    created_by   name        not null default session_user,
    expires_at   timestamptz not null,
    revoked_at   timestamptz,
    last_used_at timestamptz
);

comment on table daftari.api_token is 'Callers of the API, each by the digest of its token.';
