"""Each cell of the access matrix: what a caller should see of a relation and do to it, and what it does."""

from collections import Counter

from psycopg import sql
from tests.spec import matrix
from tests.spec.matrix import acting
from tests.spec.oracle import PLATFORM

EVERYTHING = object()
OWN = {"daftari_owner", "daftari_operator"}


def expected(world, caller, relation):
    """Columns and rows that *caller* should see of *relation*; EVERYTHING of an operator's."""
    oracle = world.oracle
    is_operator = caller.roles == ("daftari_operator",)
    if relation.schema == "ops":
        if is_operator:
            return EVERYTHING
        if caller.roles == ("daftari_owner",):
            return relation.columns, Counter()
        is_table = relation.name in oracle.datasets
        return oracle.table(caller, relation.name) if is_table else ((), Counter())
    if relation.schema == "views":
        if is_operator:
            return relation.columns, Counter()  # owns it, and acts as nobody whom it shows anything
        dataset, role = view_of(world, relation)
        return oracle.view(caller, dataset, role)
    is_owner = caller.roles == ("daftari_owner",)
    if relation.schema == "marts":
        every = [(f"U{n}", 10 * n) for n in range(1, 6)]
        return (
            (("user_id", "figure"), Counter(every)) if is_owner else oracle.mart(caller, relation.name, every)
        )
    return (), Counter()


def view_of(world, relation):
    """The dataset and role whose view *relation* is."""
    pairs = [
        (dataset.name, entry.role) for dataset in world.oracle.datasets.values() for entry in dataset.access
    ]
    return next((d, r) for d, r in pairs if f"{d}_{r}" == relation.name)


def wrong_sight(world, name, relation, *, thoroughly=False):
    """What a caller sees of *relation* otherwise than it should."""
    conn, caller = world.conn, world.callers[name]
    wanted = expected(world, caller, relation)
    if wanted is EVERYTHING:
        wanted = (relation.columns, all_rows(world, relation))
    with acting(conn, caller):
        if relation.schema == "staging" and matrix.granted(conn, relation):
            return [f"{name} of {relation}: was given it"]
        columns, rows = matrix.seen(conn, relation)
        if (set(columns), rows) != (set(wanted[0]), reordered(wanted, columns)):
            return [f"{name} of {relation}: sees {columns} {rows}; should see {wanted}"]
        if thoroughly and matrix.refused_columns(conn, relation) != set(relation.columns) - set(columns):
            return [f"{name} of {relation}: is refused other columns than it is said to be"]
    return []


def reordered(wanted, columns):
    """The rows of *wanted* with their columns in the order of *columns*."""
    names, rows = wanted
    if set(names) != set(columns):
        return rows
    at = [names.index(c) for c in columns]
    return Counter({tuple(row[i] for i in at): n for row, n in rows.items()})


def all_rows(world, relation):
    """The rows of a table or partition, of the oracle's: those of a partition by what lies in it."""
    rows = world.oracle.rows.get(relation.name)
    if rows is None:
        keys = world.partition_keys[relation.name]
        rows = [row for row in world.oracle.rows[relation.parent] if row["incident_id"] in keys]
    return Counter(tuple(row[c] for c in relation.columns) for row in rows)


def wrong_writes(world, name, relation):
    """What a caller may write to a governed table or partition otherwise than it should."""
    conn, caller = world.conn, world.callers[name]
    if relation.schema != "ops":
        return []
    is_own = not set(caller.roles).isdisjoint(OWN)
    is_table = relation.name in world.oracle.datasets and not is_own
    every = set(relation.columns) if is_own else set()
    wanted = {"insert": every, "update": every, "delete": is_own}
    if is_table:
        wanted = world.oracle.privileges(caller, relation.name)
    with acting(conn, caller):
        may = matrix.may_write(conn, relation)
        if may != wanted:
            return [f"{name} of {relation}: may write {may}; should {wanted}"]
        return list(_wrong_rows(world, name, caller, relation)) if is_table else []


def _wrong_rows(world, name, caller, relation):
    for operation in ("update", "delete"):
        reached = matrix.reached(world.conn, relation, operation)
        wanted = world.oracle.written(caller, relation.name, operation)
        if reached != wanted:
            yield f"{name} of {relation}: reaches {reached} rows by {operation}; should reach {wanted}"
    dataset = world.oracle.datasets[relation.name]
    lines = [it for role in caller.roles for it in world.oracle.lines(dataset, role, "insert")]
    if lines:
        for one in world.oracle.rows[relation.name]:
            row = {k: v for k, v in one.items() if k not in PLATFORM}
            admitted = matrix.admitted(world.conn, relation, row)
            if admitted != world.oracle.admits(caller, relation.name, row):
                yield f"{name} of {relation}: inserts, {admitted}"


def wrong_by_mistake(world, relation):
    """Who would read a relation, if it were granted by mistake to somebody of no role: nobody sees a row of it."""
    conn, stranger = world.conn, world.callers["stranger"]
    if relation.schema not in ("ops", "staging"):
        return []
    with conn.transaction(force_rollback=True):
        login = sql.Identifier(stranger.login)
        conn.execute(sql.SQL("grant usage on schema ops, staging to {}").format(login))
        conn.execute(sql.SQL("grant select on {} to {}").format(relation.place, login))
        with acting(conn, stranger):
            _, rows = matrix.seen(conn, relation)
    return [f"stranger with a grant on {relation}: sees {rows}"] if rows else []


def wrong_leaks(world, name, relation):
    """Whether a caller's own function meets other values of a view than the view shows."""
    if relation.schema != "views":
        return []
    caller = world.callers[name]
    columns, rows = expected(world, caller, relation)
    if not rows:
        return []
    shown = {str(row[columns.index(relation.columns[0])]) for row in rows}
    with acting(world.conn, caller):
        heard = matrix.leaked(world.conn, relation)
    return [] if heard == shown else [f"{name} of {relation}: its function met {heard}; shown is {shown}"]


SCHEMA_USES = """
    select n, has_schema_privilege(n, 'usage'), has_schema_privilege(n, 'create')
    from unnest(%s::text[]) n
"""


def wrong_schemas(world):
    """Who uses a schema in which it has nothing, or makes something anywhere."""
    found = []
    relations = world.relations
    for name, caller in world.callers.items():
        if not set(caller.roles).isdisjoint(OWN):
            continue
        uses = {r.schema for r in relations if expected_any(world, caller, r)}
        with acting(world.conn, caller):
            for schema, usage, create in world.conn.execute(SCHEMA_USES, [list(matrix.SCHEMAS)]):
                if (usage, create) != (schema in uses, False):
                    found.append(f"{name} of {schema}: usage {usage}, create {create}")
    return found


def expected_any(world, caller, relation):
    """Whether any of a caller's roles, acted in by itself, sees something of *relation* or writes to it."""
    one_by_one = [type(caller)(caller.login, (role,), caller.user_id) for role in caller.roles]
    if relation.schema == "ops" and relation.name in world.oracle.datasets:
        dataset = world.oracle.datasets[relation.name]
        return any(it.role in caller.roles and it.rows != "none" for it in dataset.access)
    return any(expected(world, it, relation)[0] for it in one_by_one)


def everything_wrong(world, *, thoroughly=False):
    yield from wrong_schemas(world)
    for relation in world.relations:
        yield from wrong_of(world, relation, thoroughly=thoroughly)


def wrong_of(world, relation, *, first=None, thoroughly=False):
    """Every wrong cell of *relation*; the callers of role *first* are looked at first, and what costs most last."""
    for name in sorted(world.callers, key=lambda it: first not in world.callers[it].roles):
        yield from wrong_sight(world, name, relation, thoroughly=thoroughly)
        yield from wrong_writes(world, name, relation)
        yield from wrong_leaks(world, name, relation)
    yield from wrong_by_mistake(world, relation)
