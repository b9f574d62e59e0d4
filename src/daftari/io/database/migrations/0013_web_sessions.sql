-- Browsers in the control room: each has shown a token of the API, and is known again by a number of its own.
--
-- Promises, each with a test of the same name in tests/db/test_web_sessions.py:
--   1. a session lives no longer than its token;
--   2. a session that ended is nobody's;
--   3. no role of a contract reads sessions.

create table daftari.web_session (
    sha256   bytea       primary key check (octet_length(sha256) = 32),  -- of what the browser keeps
    token    text        not null references daftari.api_token,
    began_at timestamptz not null,
    ends_at  timestamptz not null check (ends_at > began_at)
);

create index web_session_token on daftari.web_session (token);
create index web_session_ends on daftari.web_session (ends_at);

comment on table daftari.web_session is 'Browsers that are signed in to the control room, each by a digest.';
