-- The caller that a session acts for. See migrations/0005_access.sql.

-- name: speak_for
select set_config('daftari.user_id', %(user_id)s, true), set_config('daftari.actor', %(actor)s, true),
       set_config('daftari.request_id', %(request_id)s, true), set_config('daftari.purpose', %(purpose)s, true),
       case when %(role)s::text is not null then set_config('role', %(role)s::text, true) end;

-- name: is_service
select daftari.is_service();

-- name: make_service
insert into daftari.assignment (login, is_service)
values (session_user, true)
on conflict (login) do update set is_service = true, user_id = null, department = null;
