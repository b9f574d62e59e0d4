"""Every single thing that could be undone or added in who may see what, enumerated from the catalogue."""

from dataclasses import dataclass

from tests.spec.world import ROLES

WRITES = ("insert", "update", "delete")


@dataclass(frozen=True)
class Mutant:
    statement: str
    place: str  #: the relation, or the schema
    role: str | None = None  #: whose rights it is about

    def __str__(self):
        return self.statement


def mutants(conn):
    return [
        *policies(conn),
        *row_security(conn),
        *given(conn),
        *not_given(conn),
        *schemas(conn),
        *views(conn),
        *owners(conn),
    ]


POLICIES = """
    select p.polname, n.nspname || '.' || c.relname, pg_get_userbyid(p.polroles[1]),
           p.polqual is not null, p.polname = 'operator'
    from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('ops', 'marts')
"""


def policies(conn):
    for name, place, role, has_using, is_operators in conn.execute(POLICIES).fetchall():
        yield Mutant(f'drop policy "{name}" on {place}', place, role)
        if not is_operators:
            part = "using" if has_using else "with check"
            yield Mutant(f'alter policy "{name}" on {place} {part} (true)', place, role)


TABLES = """
    select n.nspname || '.' || c.relname
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = any(%s) and c.relkind = any(%s)
"""


def tables(conn, schemas, kinds=("r", "p")):
    return [place for (place,) in conn.execute(TABLES, [list(schemas), list(kinds)])]


def row_security(conn):
    for place in tables(conn, ["ops"]):
        yield Mutant(f"alter table {place} disable row level security", place)
        yield Mutant(f"alter table {place} no force row level security", place, "daftari_owner")
    for place in tables(conn, ["marts"]):
        if place != "marts.nobodys":  # without a grant, nobody meets a policy of it
            yield Mutant(f"alter table {place} disable row level security", place)


GIVEN = """
    select a.privilege_type, null, n.nspname || '.' || c.relname, pg_get_userbyid(a.grantee)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace cross join aclexplode(c.relacl) a
    where n.nspname in ('ops', 'views', 'marts', 'staging', 'daftari') and a.grantee not in (0, c.relowner)
      and a.grantee is distinct from to_regrole('daftari_pgaudit')::oid
    union all
    select a.privilege_type, t.attname, n.nspname || '.' || c.relname, pg_get_userbyid(a.grantee)
    from pg_attribute t join pg_class c on c.oid = t.attrelid join pg_namespace n on n.oid = c.relnamespace
    cross join aclexplode(t.attacl) a
    where n.nspname in ('ops', 'views', 'marts', 'staging', 'daftari') and a.grantee not in (0, c.relowner)
      and a.grantee is distinct from to_regrole('daftari_pgaudit')::oid
"""


def given(conn):
    """Every grant. Those to pgAudit's role show nobody anything: tests/db/test_pgaudit.py looks at what they log."""
    for privilege, column, place, role in conn.execute(GIVEN).fetchall():
        what = f'{privilege} ("{column}")' if column else privilege
        yield Mutant(f'revoke {what} on {place} from "{role}"', place, role)


COLUMNS = """
    select n.nspname || '.' || c.relname, r, p, array(
        select a.attname::text from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
          and not has_column_privilege(r, a.attrelid, a.attnum, p)
    )
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    cross join unnest(%s::text[]) r
    cross join unnest('{select,insert,update}'::text[]) p
    where n.nspname = any(%s) and c.relkind in ('r', 'p', 'v')
"""


def not_given(conn):
    """Grants that nobody has: on each column that a role has not, and on the whole of what it has nothing of."""
    for place, role, privilege, columns in conn.execute(
        COLUMNS, [list(ROLES), ["ops", "views", "marts", "staging", "daftari"]]
    ).fetchall():
        is_governed = place.startswith("ops.")
        if not is_governed and privilege != "select":
            continue
        if columns:
            yield Mutant(with_use(f'grant {privilege} on {place} to "{role}"', place, role), place, role)
        for column in columns if is_governed else ():
            statement = f'grant {privilege} ("{column}") on {place} to "{role}"'
            yield Mutant(with_use(statement, place, role), place, role)
    for place in tables(conn, ["ops"]):
        for role in ROLES:
            yield Mutant(f'grant delete on {place} to "{role}"', place, role)


def with_use(statement, place, role):
    """A grant in a schema that the role has no use of shows by nothing; so it gets that too."""
    return f'grant usage on schema {place.split(".")[0]} to "{role}"; {statement}'


SCHEMAS = """
    select n, r, p, has_schema_privilege(r, n, p)
    from unnest('{ops,views,marts,staging,daftari}'::text[]) n
    cross join unnest(%s::text[]) r
    cross join unnest('{usage,create}'::text[]) p
"""


def schemas(conn):
    for schema, role, privilege, has in conn.execute(SCHEMAS, [list(ROLES)]).fetchall():
        verb, to = ("revoke", "from") if has else ("grant", "to")
        yield Mutant(f'{verb} {privilege} on schema {schema} {to} "{role}"', schema, role)


def views(conn):
    # Without its barrier a view leaks only where its condition is costlier than a reader's function, and may leak
    # itself. None of the reference contracts' is so; tests/db/test_masked_views.py has one that is.
    for place in tables(conn, ["views"], ["v"]):
        role = place.rsplit("_", 1)[1]
        yield Mutant(f"alter view {place} set (security_invoker = true)", place, role)
    for place in tables(conn, ["staging"], ["v"]):
        yield Mutant(f"alter view {place} set (security_invoker = false)", place)


def owners(conn):
    for place in tables(conn, ["ops", "marts"]):
        for role in ROLES:
            yield Mutant(f'alter table {place} owner to "{role}"', place, role)
    for place in tables(conn, ["views"], ["v"]):
        for role in (*ROLES, "daftari_owner"):
            yield Mutant(f'alter view {place} owner to "{role}"', place, role)
