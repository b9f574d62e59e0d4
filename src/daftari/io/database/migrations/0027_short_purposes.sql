-- What a session says of itself to the audit is short: a purpose, and the ids of requests that are written together.

-- Fills in what the session states about itself, and writes the entry. The only writer of both tables.
create or replace function daftari.write_audit(
    entry daftari.audit_entry
) returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp
as $$
declare
    purpose    text := nullif(current_setting('daftari.purpose', true), '');
    request_id text := nullif(current_setting('daftari.request_id', true), '');
begin
    -- What was recorded stays for ever, so a session may not record as much as it likes.
    if length(purpose) > 1000 or length(request_id) > 1000000 then
        raise exception 'daftari.purpose has more than 1000 characters, or daftari.request_id more than 1000000'
            using errcode = 'string_data_right_truncation', hint = 'Say it in fewer words.';
    end if;
    insert into daftari.audit_entry (
        entry_id, at, operation, relation, actor, login, role, purpose, run_id, request_id, key, rows, digest, detail
    )
    values (
        entry.entry_id, entry.at, entry.operation, entry.relation,
        daftari.actor(), session_user,
        -- in a security definer function current_user is its owner; the setting is what the session took on
        coalesce(nullif(current_setting('role'), 'none'), session_user),
        purpose,
        daftari.current_run(),
        request_id,
        coalesce(entry.key, '{}'), entry.rows, entry.digest, entry.detail
    );
    insert into daftari.audit_pending (entry_id, at) values (entry.entry_id, entry.at);
end;
$$;
