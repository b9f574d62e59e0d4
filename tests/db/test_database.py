import pytest

from daftari.errors import DatabaseError
from daftari.io.database import connection


def test_a_database_of_ones_own_is_used(settings, db):
    with connection.connect(settings) as conn:
        there = conn.execute("select current_database()").fetchone()
    assert there == db.execute("select current_database()").fetchone()
    assert connection.connection_parameters(settings)["dbname"] == there[0]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            "postgresql://me:hunter2@127.0.0.1:1/books",
            "database books at 127.0.0.1: cannot connect: ",
        ),
        (
            "postgresql://me:hunt/er2@127.0.0.1:1/books",
            "DAFTARI_DATABASE_URL: cannot be read; expected postgresql://user@host:port/database",
        ),
    ],
)
def test_a_database_out_of_reach_is_one_line_without_the_password(settings, url, message):
    wrong = settings.model_copy(update={"database_url": type(settings.database_url)(url)})
    with pytest.raises(DatabaseError) as raised:
        connection.connect(wrong).close()
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)
    assert "hunt" not in str(raised.value)
