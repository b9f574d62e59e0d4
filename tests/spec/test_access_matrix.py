"""Least view: what each role sees and does is what the contracts say, cell by cell, by every path."""

import psycopg
from tests.spec import cells, matrix


def test_every_role_sees_by_every_path_what_the_contracts_say_and_nothing_else(world):
    assert list(cells.everything_wrong(world, thoroughly=True)) == []


def test_the_same_holds_for_logins_over_connections_of_their_own(world):
    for name, caller in world.callers.items():
        with psycopg.connect(world.url, user=caller.login, autocommit=True) as conn:
            conn.execute("set timezone = 'UTC'")
            for setting, value in caller.settings.items():
                conn.execute("select set_config(%s, %s, false)", [setting, value])
            for relation in world.relations:
                wanted = cells.expected(world, caller, relation)
                if wanted is cells.EVERYTHING:
                    wanted = (relation.columns, cells.all_rows(world, relation))
                columns, rows = matrix.seen(conn, relation)
                assert (set(columns), rows) == (set(wanted[0]), cells.reordered(wanted, columns)), (
                    name,
                    relation,
                )


def test_every_cell_that_a_contract_gives_is_reached_by_some_path(world):
    relations = {str(it): it for it in world.relations}
    for dataset in world.oracle.datasets.values():
        for role in {it.role for it in dataset.access}:
            lines = world.oracle.lines(dataset, role)
            given = {f.name for f in dataset.fields if world.oracle.sight(f.name, lines) != "hidden"}
            caller = world.callers[role]
            table, _ = world.oracle.table(caller, dataset.name)
            view = f"views.{dataset.name}_{role}"
            if world.oracle.has_view(dataset, role) and lines:
                assert given <= set(relations[view].columns)
            else:
                assert view not in relations
                assert given <= set(table)


def test_managers_never_see_payroll(world):
    for name in ("ops.salaries", "marts.payroll_cost"):
        relation = next(it for it in world.relations if str(it) == name)
        with matrix.acting(world.conn, world.callers["manager"]):
            assert matrix.refused_columns(world.conn, relation) == set(relation.columns)
