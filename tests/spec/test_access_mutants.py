"""Each policy, grant, owner and view option matters: undo any one, or add one, and a cell of the matrix is wrong."""

import pytest
from tests.spec import cells, mutants


@pytest.fixture(scope="module")
def relations(world):
    return {str(it): it for it in world.relations}


def survivors(world, relations, found):
    return [str(mutant) for mutant in found if not is_noticed(world, relations, mutant)]


def is_noticed(world, relations, mutant):
    with world.conn.transaction(force_rollback=True):
        world.conn.execute(mutant.statement)
        relation = relations.get(mutant.place)
        if relation is None:
            return bool(cells.wrong_schemas(world))
        return next(cells.wrong_of(world, relation, first=mutant.role), None) is not None


@pytest.mark.parametrize(
    "kind", ["policies", "row_security", "given", "not_given", "schemas", "views", "owners"]
)
def test_every_mutant_turns_a_cell_red(world, relations, kind):
    found = list(getattr(mutants, kind)(world.conn))
    assert found
    assert survivors(world, relations, found) == []
