"""Load a file: dropped, looked at, its mapping corrected, its totals stated; and only then loaded."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from daftari.api.routes.uploads import write_body
from daftari.api.service import clock
from daftari.contract import permissions
from daftari.contract.model import Dataset
from daftari.operations.load.upload_file import (
    Upload,
    begin_upload,
    discard_upload,
    find_upload,
    load_upload,
    look_at_upload,
    place_of,
    totals_of,
)
from daftari.web.page_request import PageRequest


def choose_file(visit: PageRequest) -> Response:
    return visit.page("load", datasets=[it.dataset for it in visit.contracts if visit.adds(it.dataset)])


def drop_file(visit: PageRequest) -> Response:
    return visit.page("load_file", dataset=_dataset(visit))


async def receive_file(visit: PageRequest) -> Response:
    """Take a file that a page sends; the answer names the page that shows it."""
    dataset = await run_in_threadpool(_dataset, visit)
    name, data_dir = visit.request.query_params.get("name", ""), visit.service.settings.data_dir
    path = await run_in_threadpool(begin_upload, data_dir, dataset, visit.caller, name, now=clock())
    try:
        await write_body(visit.request, path)
    except BaseException:
        discard_upload(path)
        raise
    return JSONResponse({"page": f"/load/{dataset.name}/{place_of(path)}"})


def preview_dropped(visit: PageRequest) -> Response:
    """What the file is, how it maps, and what would become of its rows. Nothing is loaded."""
    upload = _upload(visit)
    with visit.connection() as conn:
        found = look_at_upload(conn, visit.service.workspace, upload, now=clock())
    return visit.page(
        "look",
        dataset=upload.dataset,
        file=upload.path.name,
        place=visit.request.path_params["place"],
        look=found.look,
        problem=found.problem,
        header=found.header,
        picks=upload.picks,
        query=visit.request.url.query,
    )


def load_dropped(visit: PageRequest) -> Response:
    upload = _upload(visit)
    with visit.connection() as conn:
        loaded = load_upload(conn, visit.service.workspace, upload, now=clock())
    return visit.go(f"/runs/{loaded.run_id}?{'known' if loaded.known else 'loaded'}=1")


def give_up(visit: PageRequest) -> Response:
    upload = _upload(visit)
    discard_upload(upload.path)
    return visit.go(f"/load/{upload.dataset.name}")


def _dataset(visit: PageRequest) -> Dataset:
    dataset = visit.contract(visit.request.path_params["dataset"]).dataset
    permissions.require(permissions.refusal_to_insert_for_others(dataset, visit.caller))
    return dataset


def _upload(visit: PageRequest) -> Upload:
    """The file that the address means, with what the page says of it."""
    dataset, place = _dataset(visit), visit.request.path_params["place"]
    asked = visit.request.query_params
    return Upload(
        dataset=dataset,
        path=find_upload(visit.service.settings.data_dir, dataset, visit.caller, place),
        sender=(visit.errand(), visit.service.roles),
        picks={name.removeprefix("m."): asked[name] for name in asked if name.startswith("m.")},
        totals=totals_of(visit.form, dataset),
    )
