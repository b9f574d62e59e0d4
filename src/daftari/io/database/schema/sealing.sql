-- Sealing and revealing in SQL, for sessions that received session keys. The application does not need these to seal.
-- requires: pgcrypto

-- Wraps pgcrypto's functions under our own names. pgcrypto may be installed already, in any schema, and functions
-- with a fixed search path must name the schema.
do $do$
declare
    place pg_catalog.text;
begin
    create extension if not exists pgcrypto with schema daftari;
    select e.extnamespace::pg_catalog.regnamespace into place from pg_catalog.pg_extension e where e.extname = 'pgcrypto';
    execute pg_catalog.format($make$
        create function %2$I.hmac_of(message bytea, key bytea, hash text) returns bytea
            language sql immutable strict parallel safe return %1$s.hmac(message, key, hash);
        create function %2$I.encrypt_aes(plain bytea, key bytea, iv bytea) returns bytea
            language sql immutable strict parallel safe return %1$s.encrypt_iv(plain, key, iv, 'aes-cbc/pad:pkcs');
        create function %2$I.decrypt_aes(cipher bytea, key bytea, iv bytea) returns bytea
            language sql immutable strict parallel safe return %1$s.decrypt_iv(cipher, key, iv, 'aes-cbc/pad:pkcs');
    $make$, place, 'daftari');
end;
$do$;

-- A256CBC-HS512 of RFC 7518, section 5.2.5: returns the ciphertext followed by its tag.
create function daftari.encrypt_a256cbc_hs512(key bytea, iv bytea, plain bytea, associated bytea) returns bytea
    language plpgsql
    immutable
    strict
    parallel safe
    set search_path = pg_catalog, pg_temp
as $$
declare
    cipher pg_catalog.bytea := daftari.encrypt_aes(plain, substr(key, 33, 32), iv);
begin
    return cipher || substr(
        daftari.hmac_of(associated || iv || cipher || int8send(8::bigint * octet_length(associated)),
                        substr(key, 1, 32), 'sha512'),
        1, 32);
end;
$$;

-- The reverse. Returns null where the tag does not match: the value was changed, or the key is another.
create function daftari.decrypt_a256cbc_hs512(key bytea, iv bytea, sealed bytea, associated bytea) returns bytea
    language plpgsql
    immutable
    strict
    parallel safe
    set search_path = pg_catalog, pg_temp
as $$
declare
    length integer := octet_length(sealed) - 32;
    cipher pg_catalog.bytea;
begin
    if length < 16 or length % 16 <> 0 then
        return null;
    end if;
    cipher := substr(sealed, 1, length);
    if substr(sealed, length + 1) <> substr(
        daftari.hmac_of(associated || iv || cipher || int8send(8::bigint * octet_length(associated)),
                        substr(key, 1, 32), 'sha512'),
        1, 32)
    then
        return null;
    end if;
    return daftari.decrypt_aes(cipher, substr(key, 33, 32), iv);
end;
$$;

-- Accepts the session keys. A view that is written by COPY, because rows of COPY are never logged, while
-- statements and parameters can be.
create view daftari.key_loan with (security_invoker = true) as
select
    null::text as field,
    null::text as subject,
    null::bytea as key_id,
    null::integer as version,
    null::bytea as encryption,
    null::bytea as nonce,
    null::boolean as seals  -- whether new values are sealed under it
where false;

comment on view daftari.key_loan is 'Takes keys that are lent to a session. Shows nothing.';

-- Keeps a session key in a temporary table: it is in no WAL, dump or base backup, and ends with the session. The table
-- belongs to this function's owner, so the session uses the key through `reveal` and `seal` but cannot read it.
-- Types are named with their schema; otherwise a type of the session would be found first.
create function daftari.take_loan() returns trigger
    language plpgsql
    security definer
    set search_path = pg_catalog, pg_temp
    set plan_cache_mode = force_generic_plan  -- another plan holds the key as a constant, which auto_explain may log
as $$
begin
    if to_regclass('pg_temp.daftari_loan') is null then
        create temporary table daftari_loan (
            field pg_catalog.text not null,
            subject pg_catalog.text not null,
            key_id pg_catalog.bytea not null,
            version integer not null,
            encryption pg_catalog.bytea not null,
            nonce pg_catalog.bytea not null,
            seals boolean not null,
            primary key (key_id, version, field)
        );
        create index on pg_temp.daftari_loan (field, subject) where seals;
        revoke all on pg_temp.daftari_loan from public;
    elsif (select c.relowner from pg_catalog.pg_class c where c.oid = to_regclass('pg_temp.daftari_loan'))
          <> (select r.oid from pg_catalog.pg_roles r where r.rolname = current_user)
    then
        raise exception 'a table of this session stands where lent keys would be kept'
            using errcode = 'insufficient_privilege', hint = 'Drop pg_temp.daftari_loan, or begin a new session.';
    end if;
    insert into pg_temp.daftari_loan
    values (new.field, new.subject, new.key_id, new.version, new.encryption, new.nonce, new.seals)
    on conflict (key_id, version, field) do update set seals = excluded.seals;
    return new;
end;
$$;

create trigger take_loan
    instead of insert on daftari.key_loan
    for each row
    execute function daftari.take_loan();

-- Removes the session keys before the session ends, because a pooled connection is reused for another caller.
create function daftari.return_keys() returns void
    language plpgsql
    security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    drop table if exists pg_temp.daftari_loan;
end;
$$;

-- Opens a sealed value of a field ('dataset.field') of a subject; the subject is empty where the row has none.
-- `security definer`, because the session cannot read the table of session keys.
create function daftari.reveal(sealed bytea, field text, subject text) returns text
    language plpgsql
    stable
    strict
    parallel restricted
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    lent pg_catalog.bytea;
    plain pg_catalog.bytea;
begin
    if to_regclass('pg_temp.daftari_loan') is not null then
        select l.encryption into lent
        from pg_temp.daftari_loan l
        where l.key_id = substr(sealed, 3, 8)
          and l.version = get_byte(sealed, 10) * 256 + get_byte(sealed, 11)
          and l.field = reveal.field;
    end if;
    if lent is null then
        raise exception '%: no key for this value was lent to this session', field
            using errcode = 'insufficient_privilege', hint = 'Ask for it by way of Daftari, with a purpose.';
    end if;
    if substr(sealed, 1, 2) = '\x0102' then
        plain := daftari.decrypt_a256cbc_hs512(
            lent, substr(sealed, 13, 16), substr(sealed, 29),
            substr(sealed, 1, 12) || convert_to(field, 'UTF8') || '\x00' || convert_to(subject, 'UTF8'));
    end if;
    if plain is null then
        raise exception '%: a sealed value cannot be opened; expected one that was sealed for this field, person and key',
            field using errcode = 'data_corrupted';
    end if;
    return convert_from(plain, 'UTF8');
end;
$$;

-- Seals a value byte for byte as the application does. `row_key` is the key of its row (docs/decisions/0008).
create function daftari.seal(value text, field text, subject text, row_key text) returns bytea
    language plpgsql
    stable
    strict
    parallel restricted
    security definer
    set search_path = pg_catalog, pg_temp
as $$
declare
    key_id pg_catalog.bytea;
    version integer;
    encryption pg_catalog.bytea;
    nonce pg_catalog.bytea;
    header pg_catalog.bytea;
    associated pg_catalog.bytea;
    iv pg_catalog.bytea;
    plain pg_catalog.bytea := convert_to(value, 'UTF8');
begin
    if to_regclass('pg_temp.daftari_loan') is not null then
        select l.key_id, l.version, l.encryption, l.nonce into key_id, version, encryption, nonce
        from pg_temp.daftari_loan l
        where l.field = seal.field and l.subject = seal.subject and l.seals;
    end if;
    if encryption is null then
        raise exception '%: no key to seal under was lent to this session', field
            using errcode = 'insufficient_privilege', hint = 'Ask for it by way of Daftari, with a purpose.';
    end if;
    header := '\x0102' || key_id || substr(int4send(version), 3, 2);
    associated := header || convert_to(field, 'UTF8') || '\x00' || convert_to(subject, 'UTF8');
    iv := substr(
        daftari.hmac_of(associated || '\x00' || convert_to(row_key, 'UTF8') || '\x00' || plain, nonce, 'sha256'),
        1, 16);
    return header || iv || daftari.encrypt_a256cbc_hs512(encryption, iv, plain, associated);
end;
$$;

-- Roles that may reveal or seal are granted these individually; nobody else has them.
revoke all on daftari.key_loan from public;
revoke all on function daftari.take_loan() from public;
revoke all on function daftari.return_keys() from public;
revoke all on function daftari.reveal(bytea, text, text) from public;
revoke all on function daftari.seal(text, text, text, text) from public;
