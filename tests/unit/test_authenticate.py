"""Which tokens the database is asked about."""

from datetime import UTC, datetime

import pytest

from daftari.errors import NotAuthenticated
from daftari.operations.access.authenticate import authenticate

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)


class Asked(Exception):
    """The database was asked."""


def connection():
    raise Asked


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "DFT_x", " dft_x", "xdft_y"])
def test_a_token_that_cannot_be_ours_is_refused_without_asking_the_database(token):
    with pytest.raises(NotAuthenticated):
        authenticate(token, None, connection, now=NOW)


def test_a_token_of_our_form_is_looked_up():
    with pytest.raises(Asked):
        authenticate("dft_x", None, connection, now=NOW)
