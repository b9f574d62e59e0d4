-- Sessions of the control room. See migrations/0013_web_sessions.sql and 0019.

-- name: forget_ended
delete from daftari.web_session where ends_at <= %(now)s;

-- name: begin
insert into daftari.web_session (sha256, token, began_at, ends_at)
select %(sha256)s, t.name, %(now)s, least(%(ends_at)s, t.expires_at)
from daftari.api_token t
where t.sha256 = %(token)s
  and t.revoked_at is null
  and t.expires_at > %(now)s;

-- name: begin_for
insert into daftari.web_session (sha256, actor, role, user_id, began_at, ends_at)
values (%(sha256)s, %(actor)s, %(role)s, %(user_id)s, %(now)s, %(ends_at)s);

-- name: known
select s.actor, s.role, s.user_id, t.name, t.role, t.user_id, t.datasets, t.writes
from daftari.web_session s
left join daftari.api_token t on t.name = s.token
where s.sha256 = %(sha256)s
  and s.ends_at > %(now)s
  and (s.token is null or t.revoked_at is null and t.expires_at > %(now)s);

-- name: every
select coalesce(s.actor, 'token:' || s.token) as who, coalesce(s.role, t.role) as role, s.began_at,
       least(s.ends_at, t.expires_at) as ends_at
from daftari.web_session s
left join daftari.api_token t on t.name = s.token
where s.ends_at > %(now)s
  and (s.token is null or t.revoked_at is null and t.expires_at > %(now)s)
order by s.began_at, who;

-- name: end_of
delete from daftari.web_session where coalesce(actor, 'token:' || token) = %(who)s;

-- name: end
delete from daftari.web_session where sha256 = %(sha256)s;
