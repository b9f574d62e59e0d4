"""Load a file: dropped, looked at, its mapping corrected, its totals stated; and only then loaded."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from daftari.api.service import now
from daftari.contract import permissions
from daftari.contract.model import Dataset
from daftari.errors import AccessRefused, DaftariError, MappingError
from daftari.io.files import open_source
from daftari.operations.load_path import Request, load_path
from daftari.operations.look_at_file import Look, look_at_file
from daftari.operations.open_file import Wanted, choose_mapping
from daftari.rows.control import ControlTotals
from daftari.rows.mapping import FieldSource, Mapping
from daftari.web.visits import Visit

_ID = re.compile(r"[A-Za-z0-9_-]{20,64}")
_NAME = re.compile(r"[\w][\w .()+-]{0,119}")
_PIECE = 2**20
#: For how long a file that was sent waits to be loaded: it holds in the clear what the database keeps sealed.
_WAITS_SECONDS = 3600


def choose(visit: Visit) -> Response:
    return visit.page("load", datasets=[it.dataset for it in visit.contracts if visit.adds(it.dataset)])


def drop(visit: Visit) -> Response:
    return visit.page("load_file", dataset=_dataset(visit))


async def receive(visit: Visit) -> Response:
    """Take a file that a page sends; the answer names the page that shows it."""
    dataset = await run_in_threadpool(_dataset, visit)
    name = Path(visit.request.query_params.get("name", "")).name
    if not _NAME.fullmatch(name):
        raise AccessRefused(
            "The file's name holds what no name of ours does; expected letters, digits, spaces and . ( ) + -"
        )
    place = _folder(visit) / secrets.token_urlsafe(24)
    await run_in_threadpool(sweep, place.parent, time.time())
    await run_in_threadpool(place.mkdir, mode=0o700, parents=True)
    try:
        await write_body(visit.request, place / "file" / name)
        (place / "owner.json").write_text(json.dumps([visit.caller.name, dataset.name]))
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return JSONResponse({"page": f"/load/{dataset.name}/{place.name}"})


async def write_body(request: HttpRequest, path: Path) -> None:
    """Write the body of *request* to a file as it comes."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("xb") as file:
        path.chmod(0o600)
        waiting = bytearray()
        async for piece in request.stream():
            waiting += piece
            if len(waiting) >= _PIECE:
                await run_in_threadpool(file.write, bytes(waiting))
                waiting.clear()
        file.write(waiting)


def look(visit: Visit) -> Response:
    """What the file is, how it maps, and what would become of its rows. Nothing is loaded."""
    asked = _asked(visit)
    picks = {name: value for name, value in visit.request.query_params.items() if name.startswith("m.")}
    problem = None
    found: Look | None = None
    try:
        request = Request(dataset=asked.dataset.name, path=asked.path, mapping=_mapping(visit, asked, picks))
        with visit.connection() as conn:
            found = look_at_file(conn, visit.service.workspace, request, now=now())
    except DaftariError as error:
        problem = error
    header = found.header if found else _header(visit, asked)
    return visit.page(
        "look",
        dataset=asked.dataset,
        file=asked.path.name,
        place=visit.request.path_params["place"],
        look=found,
        problem=problem,
        header=header,
        picks={name.removeprefix("m."): value for name, value in picks.items()},
        query=visit.request.url.query,
    )


def load(visit: Visit) -> Response:
    asked = _asked(visit)
    picks = {name: value for name, value in visit.request.query_params.items() if name.startswith("m.")}
    request = Request(
        dataset=asked.dataset.name,
        path=asked.path,
        mapping=_mapping(visit, asked, picks),
        totals=totals_of(visit.form, asked.dataset),
        sender=(visit.errand(), visit.service.roles),
    )
    with visit.connection() as conn:
        loaded = load_path(conn, visit.service.workspace, request, now=now())
    shutil.rmtree(asked.path.parent.parent, ignore_errors=True)
    return visit.go(f"/runs/{loaded.run_id}?{'known' if loaded.known else 'loaded'}=1")


def give_up(visit: Visit) -> Response:
    asked = _asked(visit)
    shutil.rmtree(asked.path.parent.parent, ignore_errors=True)
    return visit.go(f"/load/{asked.dataset.name}")


@dataclass(frozen=True, kw_only=True)
class _Asked:
    dataset: Dataset
    path: Path


def _dataset(visit: Visit) -> Dataset:
    dataset = visit.contract(visit.request.path_params["dataset"]).dataset
    permissions.require(permissions.refusal_to_insert_for_others(dataset, visit.caller))
    return dataset


def _folder(visit: Visit) -> Path:
    return visit.service.settings.data_dir / "uploads" / "waiting"


def _asked(visit: Visit) -> _Asked:
    """
    The file that the address means.

    Raises:
        AccessRefused: it is somebody else's, or does not wait any more.
    """
    dataset, place = _dataset(visit), visit.request.path_params["place"]
    folder = _folder(visit) / place
    gone = AccessRefused(
        "This file does not wait here any more: it was loaded, or an hour went by.", hint="Send it again."
    )
    if not _ID.fullmatch(place) or not (folder / "owner.json").is_file():
        raise gone
    if json.loads((folder / "owner.json").read_text()) != [visit.caller.name, dataset.name]:
        raise gone
    (path,) = (folder / "file").iterdir()
    return _Asked(dataset=dataset, path=path)


def sweep(folder: Path, now: float) -> None:
    """Remove files that nobody came back for. *now* is in seconds since 1970."""
    if folder.is_dir():
        for one in folder.iterdir():
            if now - one.stat().st_mtime > _WAITS_SECONDS:
                shutil.rmtree(one, ignore_errors=True)


def _mapping(visit: Visit, asked: _Asked, picks: dict[str, str]) -> Mapping | None:
    """The pipeline's mapping for this file, with what was picked in place of what it says; None: by names."""
    pipeline, _ = visit.service.workspace.dataset(asked.dataset.name)
    usual = choose_mapping(pipeline, asked.dataset, Wanted(dataset=asked.dataset.name, path=asked.path))
    return with_picks(usual, picks, asked.dataset.name)


def with_picks(usual: Mapping | None, picks: dict[str, str], dataset: str) -> Mapping | None:
    """*usual*, by which fields that were picked by hand (`m.<field>`) take another column."""
    picked = {
        name.removeprefix("m."): FieldSource.model_validate({"from": [column]})
        for name, column in picks.items()
        if column
    }
    if not picked:
        return usual
    given = usual or Mapping(dataset=dataset)
    styles = {
        name: given.fields[name].model_copy(update={"headers": source.headers, "constant": None})
        if name in given.fields
        else source
        for name, source in picked.items()
    }
    return given.model_copy(update={"fields": {**given.fields, **styles}, "name": "picked by hand"})


def _header(visit: Visit, asked: _Asked) -> tuple[str, ...]:
    """The file's columns, where it could not be laid under the fields; none where it cannot be read."""
    try:
        return tuple(
            open_source(asked.path, mapping=_mapping(visit, asked, {}), dataset=asked.dataset).header
        )
    except DaftariError:
        return ()


def totals_of(form: AbstractMapping[str, str], dataset: Dataset) -> ControlTotals:
    """
    The totals that a form states: of `rows`, and of fields as `sum.<field>`.

    Raises:
        MappingError: one is not a number.
    """
    rows: int | None = None
    sums: dict[str, Decimal] = {}
    for name, text in form.items():
        said = text.replace(",", "").strip()
        if not said or not (name == "rows" or name.startswith("sum.")):
            continue
        try:
            number = Decimal(said)
            if not number.is_finite():
                raise ValueError
            if name == "rows":
                rows = int(said)
            else:
                sums[dataset.field(name.removeprefix("sum.")).name] = number
        except (ValueError, InvalidOperation):
            raise MappingError(f"{name.removeprefix('sum.')}: the stated total is not a number") from None
    return ControlTotals(rows=rows, sums=sums)
