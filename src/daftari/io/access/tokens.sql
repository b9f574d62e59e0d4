-- Tokens of the API. See migrations/0010_api_tokens.sql.

-- name: add
insert into daftari.api_token (name, sha256, role, user_id, datasets, writes, created_at, expires_at)
values (%(name)s, %(sha256)s, %(role)s, %(user_id)s, %(datasets)s, %(writes)s, %(created_at)s, %(expires_at)s)
on conflict (name) do nothing;

-- name: every
select t.name, t.role, t.user_id, t.datasets, t.writes, t.created_at, t.created_by::text, t.expires_at, t.revoked_at,
       t.last_used_at
from daftari.api_token t
order by t.name;

-- name: revoke
update daftari.api_token
set revoked_at = %(now)s
where name = %(name)s
  and revoked_at is null;

-- name: known
select t.name, t.role, t.user_id, t.datasets, t.writes, t.expires_at,
       t.last_used_at is null or t.last_used_at < %(now)s - interval '1 minute' as is_to_be_noted
from daftari.api_token t
where t.sha256 = %(sha256)s
  and t.revoked_at is null
  and t.expires_at > %(now)s;

-- name: note_use
update daftari.api_token set last_used_at = %(now)s where name = %(name)s;

-- name: keeps_users
select to_regclass('ops.users') is not null;

-- name: is_user
select exists (select from ops.users u where u.user_id::text = %(user_id)s);

-- name: a_manager
-- For the demonstration: the manager with the most people.
select u.manager_id
from ops.users u
where u.manager_id is not null
group by u.manager_id
order by count(*) desc, u.manager_id
limit 1;

-- name: somebody_of
-- For the demonstration: a person of a department who leads nobody.
select u.user_id
from ops.users u
where u.department_code = %(department)s
  and u.is_active
  and u.user_id not in (select m.manager_id from ops.users m where m.manager_id is not null)
order by u.user_id
limit 1;

-- name: an_employee
-- For the demonstration: a person with expenses and leave.
select e.user_id
from ops.expenses e
where e.user_id in (select l.user_id from ops.leave_requests l)
  and e.user_id not in (select u.manager_id from ops.users u where u.manager_id is not null)
group by e.user_id
order by count(*) desc, e.user_id
limit 1;
