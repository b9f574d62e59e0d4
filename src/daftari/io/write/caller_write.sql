-- Writing a caller's rows into a governed table. io/write/caller_write.py fills in identifiers in braces.

-- name: look_up
-- Which of the staged rows exist, which fields differ, and which rows keep values sealed for another person.
select s._line, t._run_id is not null, array[{differing}]::text[], {changes_person}
from {stage} s
left join {table} t on {match}
where s._line = any(%(lines)s)
order by s._line;

-- name: insert
insert into {table} ({columns})
select {columns} from {stage}
where _line = any(%(lines)s);

-- name: update
update {table} t
set {changes}
from {stage} s
where {match}
  and s._line = any(%(lines)s)
returning s._line;
