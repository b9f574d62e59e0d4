"""
The store of data keys, separate from the data: a SQLite file of the workspace, or a separate PostgreSQL database.

Keys are committed here before a row is sealed under them, so a load that dies may leave keys without rows, but never
rows without keys. Every secret in it is wrapped; decrypted keys exist only in the memory of the process.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from daftari.errors import CannotOpen, KeyDestroyed, KeysUnavailable
from daftari.io.keys.store_rows import (
    QUERIES,
    SOME,
    Version,
    as_row,
    as_version,
    batched,
    current,
    generation_of,
    insert,
    select_many,
)
from daftari.io.keys.wrapping import Wrapping
from daftari.protect.keys import KEY_ID_BYTES, SECRET_BYTES, DataKey, KeyOwner

_MAKE = ("make_state", "make_key", "make_owner", "make_version", "make_epoch_index")
_VERSION_BYTES = 2

Name = TypeVar("Name")


@dataclass(frozen=True, kw_only=True)
class State:
    generation: int  #: version for new values
    is_rotating: bool
    epoch: int
    keys: int
    destroyed: int
    versions: int
    outdated: int  #: versions still wrapped by an earlier epoch


class KeyStore:
    """
    Gives the key of an owner, and the key under which a value was sealed. Opened or created at first use.

    May be used by several threads.
    """

    def __init__(self, connect: Callable[[], Engine], wrapping: Wrapping) -> None:
        self._connect = connect
        self._wrapping = wrapping
        self._opening = Lock()
        self._engine: Engine | None = None

    def __repr__(self) -> str:
        return f"KeyStore(wrapped by {self._wrapping.name})"

    @property
    def wrapping(self) -> Wrapping:
        return self._wrapping

    def keys_for(
        self, owners: Collection[KeyOwner], *, version: int | None = None
    ) -> dict[KeyOwner, DataKey]:
        """
        Return the key of each of *owners*; an owner without one gets one, which is stored when this returns.

        In the requested *version*; by default the one that the last rotation began.

        Raises:
            KeysUnavailable: the store or its wrapping key cannot be used.
        """
        found: dict[KeyOwner, DataKey] = {}
        while missing := [owner for owner in owners if owner not in found]:
            known = self._look_up(missing, version)
            found |= self._unwrapped({owner: it for owner, it in known.items() if isinstance(it, Version)})
            lacking = {owner: it for owner, it in known.items() if not isinstance(it, Version)}
            self._add(lacking, version)
        return found

    def key_versions(
        self, wanted: Collection[tuple[bytes, int]], *, of: str
    ) -> dict[tuple[bytes, int], DataKey]:
        """
        Return the keys under which values of the field *of* were sealed, by key id and version.

        Destroyed keys are left out.

        Raises:
            CannotOpen: the store does not know a key.
        """
        versions: dict[tuple[bytes, int], Version] = {}
        gone: set[bytes] = set()
        ids = sorted({key_id for key_id, _ in wanted})
        with self._transaction() as conn:
            for some in batched(ids):
                for row in conn.execute(select_many("versions_of", "key_ids"), {"key_ids": some}).mappings():
                    if row["destroyed_at"] is not None:
                        gone.add(bytes(row["key_id"]))
                    elif row["version"] is not None:
                        one = as_version(row)
                        versions[one.key_id, one.version] = one
        if any(one not in versions and one[0] not in gone for one in wanted):
            raise CannotOpen(of)
        return self._unwrapped({one: versions[one] for one in wanted if one in versions})

    def key_version(self, key_id: bytes, version: int, *, of: str) -> DataKey:
        """
        Return one key by its id and version.

        Raises:
            KeyDestroyed: it was destroyed.
            CannotOpen: the store does not know it.
        """
        found = self.key_versions([(key_id, version)], of=of)
        if not found:
            raise KeyDestroyed(of, hint="The person's values were erased and cannot be restored.")
        return found[key_id, version]

    def state(self) -> State:
        with self._transaction() as conn:
            state = conn.execute(text(QUERIES["state"])).mappings().one()
            counts = conn.execute(text(QUERIES["counts"])).mappings().one()
        return State(
            generation=state["generation"],
            is_rotating=bool(state["is_rotating"]),
            epoch=state["epoch"],
            **counts,
        )

    def begin_rotation(self) -> int:
        """Begin a rotation, unless one is unfinished; return the generation that it brings values to."""
        with self._transaction() as conn:
            conn.execute(text(QUERIES["begin_rotation"]))
            return int(conn.execute(text(QUERIES["state"])).mappings().one()["generation"])

    def end_rotation(self) -> None:
        with self._transaction() as conn:
            conn.execute(text(QUERIES["end_rotation"]))

    def begin_epoch(self, epoch: int) -> None:
        """From now on, reject keys wrapped by an earlier epoch."""
        with self._transaction() as conn:
            conn.execute(text(QUERIES["begin_epoch"]), {"epoch": epoch})

    def rewrap_some(self, epoch: int) -> int:
        """Wrap by *epoch* some of the versions that an earlier one wrapped; return how many. May be killed."""
        with self._transaction() as conn:
            rows = conn.execute(text(QUERIES["outdated"]), {"epoch": epoch, "limit": SOME}).mappings()
            found = [as_version(row) for row in rows]
        if not found:
            return 0
        wrapped = self._wrapping.rewrap([one.wrapped for one in found])
        with self._transaction() as conn:
            changes = [as_row(one.key_id, one.version, new) for one, new in zip(found, wrapped, strict=True)]
            conn.execute(text(QUERIES["rewrap"]), changes)
        return len(found)

    def destroy(self, owners: Collection[KeyOwner], *, now: datetime) -> int:
        """
        Destroy the keys of *owners*, all versions; return how many keys there were. This cannot be undone.

        Copies of the key store keep them until the next epoch. Blind indexes of the rows stay: to erase a person, also
        delete the rows or empty those columns.
        """
        destroyed = 0
        with self._transaction() as conn:
            for owner in owners:
                conn.execute(text(QUERIES["lock"]))
                asked = {"scope": owner.scope, "subject": owner.subject}
                for (key_id,) in conn.execute(text(QUERIES["owned"]), asked).all():
                    conn.execute(text(QUERIES["destroy_versions"]), {"key_id": key_id})
                    conn.execute(text(QUERIES["destroy"]), {"key_id": key_id, "now": now.isoformat()})
                    destroyed += 1
        return destroyed

    def _look_up(
        self, owners: Sequence[KeyOwner], version: int | None
    ) -> dict[KeyOwner, Version | bytes | None]:
        with self._transaction() as conn:
            return current(conn, owners, version or generation_of(conn))

    def _add(self, lacking: Mapping[KeyOwner, bytes | None], version: int | None) -> None:
        """Make a key, or a version of it, for owners that lack one, unless another session is faster."""
        for some in batched(lacking):
            ids = {owner: lacking[owner] or secrets.token_bytes(KEY_ID_BYTES) for owner in some}
            generation = version or self.state().generation
            # Wrapped first, and added under the lock: wrapping may call another machine.
            wrapped = self._wrapping.wrap([_plain(ids[owner], generation) for owner in some])
            with self._transaction() as conn:
                conn.execute(text(QUERIES["lock"]))
                state = conn.execute(text(QUERIES["state"])).mappings().one()
                if generation != (version or state["generation"]) or any(
                    one.epoch < state["epoch"] for one in wrapped
                ):
                    continue  # a rotation or an epoch has begun meanwhile: the caller reads again
                known = current(conn, some, generation)
                new = [it for it in some if known[it] is None and lacking[it] is None]
                ours = [*new, *(it for it in some if known[it] is not None and known[it] == lacking[it])]
                insert(
                    conn,
                    "data_key",
                    ({"key_id": ids[it], "scope": it.scope, "subject": it.subject} for it in new),
                )
                made = dict(zip(some, wrapped, strict=True))
                insert(conn, "data_key_version", (as_row(ids[it], generation, made[it]) for it in ours))

    def _unwrapped(self, versions: Mapping[Name, Version]) -> dict[Name, DataKey]:
        found: dict[Name, DataKey] = {}
        for some in batched(versions.items()):
            plain = self._wrapping.unwrap([one.wrapped for _, one in some])
            for (name, one), content in zip(some, plain, strict=True):
                prefix = one.key_id + one.version.to_bytes(_VERSION_BYTES, "big")
                if not content.startswith(prefix):
                    raise KeysUnavailable(
                        "key store: a key is in the place of another; expected each in its own place",
                        hint="Somebody has changed the key store. Restore its backup.",
                    )
                found[name] = DataKey(key_id=one.key_id, version=one.version, secret=content[len(prefix) :])
        return found

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._opening:
            self._engine = self._engine or self._opened()
        with _explained(), self._engine.begin() as conn:
            yield conn

    def _opened(self) -> Engine:
        engine = self._connect()
        with _explained(), engine.begin() as conn:
            if engine.dialect.name == "postgresql":  # `if not exists` is no protection from another session
                conn.execute(text(QUERIES["make_alone"]))
            for name in _MAKE:
                conn.execute(text(QUERIES[name]))
            state = conn.execute(text(QUERIES["state"])).mappings().one_or_none()
            if state is None:
                first = {"epoch": self._wrapping.begin(), "wrapped_by": self._wrapping.name}
                conn.execute(text(QUERIES["begin_state"]), first)
                state = conn.execute(text(QUERIES["state"])).mappings().one()
        if state["wrapped_by"] != self._wrapping.name:
            raise KeysUnavailable(
                f"key store: its keys are wrapped by {state['wrapped_by']}; "
                f"found the settings of {self._wrapping.name}",
                hint="Restore the settings of the wrapping key that the store was made with.",
            )
        return engine


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        # The driver's text may quote what was sent; its class is enough.
        raise KeysUnavailable(
            f"key store: {type(getattr(error, 'orig', None) or error).__name__}; "
            "expected a store that can be read and written",
            hint="`daftari keys status` shows where it is.",
        ) from None


def _plain(key_id: bytes, version: int) -> bytes:
    """The wrapped content: a new key after its own name, so that two cannot be exchanged unnoticed."""
    return key_id + version.to_bytes(_VERSION_BYTES, "big") + secrets.token_bytes(SECRET_BYTES)
