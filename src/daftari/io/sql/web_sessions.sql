-- Sessions of the control room. See migrations/0013_web_sessions.sql.

-- name: forget_ended
delete from daftari.web_session where ends_at <= %(now)s;

-- name: begin
insert into daftari.web_session (sha256, token, began_at, ends_at)
select %(sha256)s, t.name, %(now)s, least(%(ends_at)s, t.expires_at)
from daftari.api_token t
where t.sha256 = %(token)s
  and t.revoked_at is null
  and t.expires_at > %(now)s;

-- name: known
select t.name, t.role, t.user_id, t.datasets, t.writes
from daftari.web_session s
join daftari.api_token t on t.name = s.token
where s.sha256 = %(sha256)s
  and s.ends_at > %(now)s
  and t.revoked_at is null
  and t.expires_at > %(now)s;

-- name: end
delete from daftari.web_session where sha256 = %(sha256)s;
