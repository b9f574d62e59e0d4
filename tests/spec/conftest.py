import psycopg
import pytest
from tests.conftest import TEMPLATE, database
from tests.spec import matrix
from tests.spec.world import make, remove_callers


@pytest.fixture(scope="module")
def world(server, reference, tmp_path_factory):
    with database(server, TEMPLATE) as url, psycopg.connect(url, autocommit=True) as conn:
        conn.execute("set timezone = 'UTC'")
        made = make(conn, reference, tmp_path_factory.mktemp("migrations"))
        made.url = url
        made.partition_keys = {
            it.name: {key for (key,) in conn.execute(f"select incident_id from ops.{it.name}")}
            for it in matrix.relations(conn)
            if it.parent and it.schema == "ops"
        }
        try:
            yield made
        finally:
            remove_callers(conn, made.callers)
