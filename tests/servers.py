"""The PostgreSQL servers of this machine that tests can run on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from daftari.errors import DatabaseError
from daftari.io.embedded import server as embedded
from daftari.io.embedded.binaries import VERSIONS, Binaries, all_binaries, find_binaries
from daftari.io.embedded.home import Home
from daftari.settings import EmbeddedServer

#: What `--server` may name: a choice of the product, a major version, or every server there is.
CHOICES = (*(str(it) for it in EmbeddedServer if it is not EmbeddedServer.OFF), *map(str, VERSIONS), "all")


@dataclass(frozen=True)
class ServerKind:
    choice: EmbeddedServer  #: SYSTEM or WHEEL
    version: int  #: major

    def __str__(self) -> str:
        return f"{self.choice}-{self.version}"

    @property
    def binaries(self) -> Binaries:
        return _binaries(self)

    def start(self, home: Home, options: Mapping[str, str] | None = None) -> None:
        embedded.start_postgres(home, self.choice, version=self.version, options=options)

    def stop(self, home: Home) -> bool:
        return embedded.stop_postgres(home, self.choice)


def kind_named(text: str) -> ServerKind:
    choice, _, version = text.partition("-")
    return ServerKind(EmbeddedServer(choice), int(version))


@cache  # several programs are asked, and there are a thousand tests
def available() -> tuple[ServerKind, ...]:
    """The kinds of PostgreSQL that this machine has."""
    found = (ServerKind(it.kind, it.version) for it in all_binaries(EmbeddedServer.AUTO))
    return tuple(dict.fromkeys(found))


@cache
def chosen(name: str) -> tuple[ServerKind, ...]:
    """Return the kinds that `--server` *name* means."""
    if name == "all":
        return available()
    if name.isdigit():
        found = [it for it in available() if it.version == int(name)]
        if not found:
            raise DatabaseError(f"--server {name}: this machine has {', '.join(map(str, available()))}")
        return (found[0],)
    binaries = find_binaries(EmbeddedServer(name))
    return (ServerKind(binaries.kind, binaries.version),)


@cache
def _binaries(kind: ServerKind) -> Binaries:
    return find_binaries(kind.choice, version=kind.version)
