-- Sessions of people whom an OpenID Connect issuer vouched for: they have no token of ours.
--
-- Promises, each with a test of the same name in tests/db/test_web_sessions.py:
--   4. a session is of a token or of whom an issuer vouched for, and never of both.
alter table daftari.web_session
    alter column token drop not null,
    add column actor   text,  -- as the audit names who it is
    add column role    text,
    add column user_id text,
    add constraint web_session_of_one check (
        case when token is null then actor is not null and role is not null
             else actor is null and role is null and user_id is null end
    );
