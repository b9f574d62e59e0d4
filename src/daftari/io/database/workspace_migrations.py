"""
The workspace's version files: the changes of its databases, as Alembic revisions.

One file is one transaction. A file holds only SQL and does not import this package, so Alembic can run it anywhere.
The files of one workspace bring staging and production to the state of development.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util.exc import CommandError
from psycopg import Connection
from sqlalchemy.pool import StaticPool

from daftari.contract.platform import PLATFORM
from daftari.errors import DatabaseError
from daftari.io.workspace.whole_files import write_whole_file

VERSION_SCHEMA = PLATFORM
_NUMBER = re.compile(r"(\d+)_")
_TEMPLATE = '''\
"""{title}"""

from alembic import op

revision = {revision!r}
down_revision = {previous!r}
branch_labels = None
depends_on = None

STATEMENTS = (
{statements}
)


def upgrade() -> None:
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement, execution_options={{"no_parameters": True}})


def downgrade() -> None:
    raise NotImplementedError("Go back by applying the earlier contract.")
'''
#: How a file ends that runs its statements and nothing else.
_END = _TEMPLATE[_TEMPLATE.index("def upgrade()") :].replace("{{", "{").replace("}}", "}")


@contextmanager
def migration_transaction(conn: Connection[Any]) -> Iterator[sqlalchemy.Connection]:
    """One transaction on *conn*, shared with Alembic. Commits at the end."""
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: conn,
        poolclass=StaticPool,
        pool_reset_on_return=None,
        use_native_hstore=False,
    )
    mode = conn.autocommit
    conn.set_autocommit(False)
    try:
        with engine.connect() as shared, shared.begin():
            yield shared
    finally:
        conn.set_autocommit(mode)


def pending_migrations(conn: Connection[Any], folder: Path) -> list[str]:
    """
    Return the revisions of *folder* that the database has not run, oldest first.

    Raises:
        DatabaseError: the files do not form one line, or the database has run one that is missing.
    """
    if not folder.is_dir():
        return []
    there = conn.execute("select to_regclass('daftari.alembic_version')").fetchone()
    current = None
    if there and there[0]:
        row = conn.execute("select version_num from daftari.alembic_version").fetchone()
        current = row[0] if row else None
    with _explained(folder):
        script = _script(folder)
        return [it.revision for it in reversed(list(script.iterate_revisions("head", current or "base")))]


def statements_in_files(folder: Path, revisions: Sequence[str]) -> dict[str, tuple[str, ...] | None]:
    """
    Return the statements of version files, in the order of *revisions*.

    None: a file was written by hand in a way that only shows its statements as it runs.
    """
    with _explained(folder):
        script = _script(folder)
        return {revision: _statements(script.get_revision(revision)) for revision in revisions}


def _statements(script: Script) -> tuple[str, ...] | None:
    text = Path(script.path).read_text("utf-8")
    if text.endswith(_END):
        return tuple(script.module.STATEMENTS)
    written = _Written()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": written}
    )
    try:
        with Operations.context(context):
            script.module.upgrade()
    except Exception:
        return None
    return tuple(written.statements)


class _Written(io.StringIO):
    """Keeps the statements that Alembic writes instead of running them."""

    def __init__(self) -> None:
        super().__init__()
        self.statements: list[str] = []

    def write(self, text: str) -> int:
        if text.strip():
            self.statements.append(text.strip().removesuffix(";"))
        return len(text)


def run_migrations(shared: sqlalchemy.Connection, folder: Path, revision: str) -> None:
    """Bring the database to *revision*, within the transaction of *shared*."""
    config = _config(folder)
    config.attributes.update(connection=shared, version_schema=VERSION_SCHEMA)
    with _explained(folder):
        try:
            command.upgrade(config, revision)
        except sqlalchemy.exc.DBAPIError as error:
            # the driver's own, as everywhere else
            raise error.orig or error from None


def write_migration(folder: Path, statements: Sequence[str], *, title: str) -> tuple[str, Path]:
    """Write a version file that follows the last one; return its revision and path."""
    (folder / "versions").mkdir(parents=True, exist_ok=True)
    with _explained(folder):
        previous = _script(folder).get_current_head()
    number = int(found[1]) + 1 if previous and (found := _NUMBER.match(previous)) else 1
    digest = hashlib.sha256("\n".join(statements).encode()).hexdigest()[:8]
    revision = f"{number:04}_{digest}"
    path = folder / "versions" / f"{revision}.py"
    text = _TEMPLATE.format(
        title=re.sub(r"[^\w .,:-]", "_", title),
        revision=revision,
        previous=previous,
        statements="\n".join(_as_python(statement) for statement in statements),
    )
    write_whole_file(path, text.encode())
    return revision, path


def _as_python(statement: str) -> str:
    """A statement as a Python literal, line by line."""
    lines = statement.split("\n")
    literals = [repr(line + "\n") for line in lines[:-1]] + [repr(lines[-1])]
    if len(literals) == 1:
        return f"    {literals[0]},"
    return "    (\n" + "\n".join(f"        {it}" for it in literals) + "\n    ),"


def _script(folder: Path) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(folder))


def _config(folder: Path) -> Config:
    """The environment is part of the package, so the workspace's folder holds only version files."""
    config = Config()
    config.set_main_option("script_location", "daftari.io.database:alembic")
    # a list separator that folder names are unlikely to hold; the parser uses % itself
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(folder.resolve() / "versions").replace("%", "%%"))
    return config


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except (CommandError, RevisionError) as error:
        raise DatabaseError(
            f"{folder}: {str(error).splitlines()[0]}; expected one line of version files, "
            "with every file that the database has run",
            hint="Get the missing files from your version control; if two follow the same one, "
            "make the later follow the earlier.",
        ) from None
