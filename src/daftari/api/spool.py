"""Responses that are read from the database at once, however slowly their reader takes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from tempfile import SpooledTemporaryFile

_IN_MEMORY = 2**20
_PIECE = 2**16


def spooled(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """
    Read all of *pieces* now; return an iterator over the same bytes.

    More than 1 MiB waits in a file without a name, so it is gone with the process and no one else can open it.
    """
    file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 -- `read` closes it
    try:
        for piece in pieces:
            file.write(piece)
    except BaseException:
        file.close()
        raise
    file.seek(0)

    def read() -> Iterator[bytes]:
        with file:
            while piece := file.read(_PIECE):
                yield piece

    return read()
