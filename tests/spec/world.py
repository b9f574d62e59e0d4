"""A database with the reference contracts, a small organisation in it, and a login for each role."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql
from tests.spec import matrix
from tests.spec.oracle import Caller, Oracle

from daftari.operations.schema.apply_contracts import apply_contracts

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ROWS = Path(__file__).with_name("rows.sql").read_text("utf-8")
ROLES = ("employee", "manager", "finance", "hr", "auditor", "dpo", "data_engineer", "analyst")
#: Whom the login of each role stands for.
PEOPLE = {"employee": "U3", "manager": "U2", "finance": "U2", "hr": "U5"}
#: A figure of each of five people.
MART = sql.SQL(
    "create table marts.{} as select 'U' || n as user_id, 10 * n as figure from generate_series(1, 5) n"
)


@dataclass
class World:
    conn: psycopg.Connection
    oracle: Oracle
    callers: dict = field(default_factory=dict)
    workspace: object = None

    @property
    def relations(self):
        return matrix.relations(self.conn)


def make(conn, workspace, folder):
    """Apply the contracts, fill the tables, and stand in for what dbt makes: staging views and marts."""
    for mart in [*workspace.readers.of, "nobodys"]:
        conn.execute(MART.format(sql.Identifier(mart)))
    rights = workspace.rights()
    apply_contracts(conn, workspace.contracts, migrations_dir=folder, now=NOW, rights=rights)
    conn.execute(ROWS)
    datasets = [it.dataset for it in workspace.contracts]
    for dataset in datasets:
        conn.execute(
            sql.SQL("create view staging.{} with (security_invoker = true) as select * from ops.{}").format(
                sql.Identifier(f"stg_{dataset.name}"), sql.Identifier(dataset.name)
            )
        )
    world = World(conn=conn, oracle=Oracle(datasets, workspace.readers.of, rows_of(conn, datasets)))
    world.workspace = workspace
    world.callers = make_callers(conn)
    return world


def rows_of(conn, datasets):
    found = {}
    for dataset in datasets:
        cursor = conn.execute(sql.SQL("select * from ops.{}").format(sql.Identifier(dataset.name)))
        names = [column.name for column in cursor.description]
        found[dataset.name] = [dict(zip(names, row, strict=True)) for row in cursor]
    return found


def make_callers(conn):
    run = uuid.uuid4().hex[:8]
    says = {"daftari.user_id": "U3", "daftari.actor": "U3"}
    callers = {role: Caller(f"{role}_{run}", (role,), PEOPLE.get(role)) for role in ROLES}
    callers |= {
        "unassigned employee": Caller(f"unassigned_{run}", ("employee",)),
        # says that it is somebody else, and is not believed
        "liar": Caller(f"liar_{run}", ("employee",), "U4", says),
        "stranger": Caller(f"stranger_{run}", (), None, says),
        "of every role": Caller(f"every_{run}", ROLES, "U2"),
        "owner": Caller(f"owner_{run}", ("daftari_owner",)),
        "operator": Caller(f"operator_{run}", ("daftari_operator",)),
    }
    # a service speaks for whoever it serves
    callers["service"] = Caller(f"service_{run}", ("employee",), "U3", says)
    for name, caller in callers.items():
        login = sql.Identifier(caller.login)
        conn.execute(sql.SQL("create role {} login").format(login))
        for role in caller.roles:
            conn.execute(sql.SQL("grant {} to {}").format(sql.Identifier(role), login))
        is_service = name == "service"
        if caller.user_id or is_service:
            conn.execute(
                "insert into daftari.assignment (login, user_id, is_service) values (%s, %s, %s)",
                [caller.login, None if is_service else caller.user_id, is_service],
            )
    return callers


def remove_callers(conn, callers):
    for caller in callers.values():
        conn.execute(sql.SQL("drop owned by {0}; drop role {0}").format(sql.Identifier(caller.login)))
