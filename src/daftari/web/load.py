"""Load a file: upload it, preview it, correct its mapping, state its totals, and only then load it."""

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


def choose_dataset(page: PageRequest) -> Response:
    return page.render("load", datasets=[it.dataset for it in page.contracts if page.may_load(it.dataset)])


def upload_page(page: PageRequest) -> Response:
    return page.render("load_file", dataset=_dataset(page))


async def receive_file(page: PageRequest) -> Response:
    """Store a file that a page sends; answer with the address of its preview."""
    dataset = await run_in_threadpool(_dataset, page)
    name, data_dir = page.request.query_params.get("name", ""), page.service.settings.data_dir
    path = await run_in_threadpool(begin_upload, data_dir, dataset, page.caller, name, now=clock())
    try:
        await write_body(page.request, path)
    except BaseException:
        discard_upload(path)
        raise
    return JSONResponse({"page": f"/load/{dataset.name}/{place_of(path)}"})


def preview_upload(page: PageRequest) -> Response:
    """Show the file's format, its mapping, and what would happen to its rows. Nothing is loaded."""
    upload = _upload(page)
    with page.connection() as conn:
        found = look_at_upload(conn, page.service.workspace, upload, now=clock())
    return page.render(
        "preview",
        dataset=upload.dataset,
        file=upload.path.name,
        place=page.request.path_params["place"],
        preview=found.look,
        problem=found.problem,
        header=found.header,
        picks=upload.picks,
        sheets=found.sheets,
        asks_for_sheet=found.asks_for_sheet,
        sheet=upload.sheet or (found.look.explained.facts.get("sheet") if found.look else None),
        query=page.request.url.query,
    )


def load_uploaded(page: PageRequest) -> Response:
    upload = _upload(page)
    with page.connection() as conn:
        loaded = load_upload(conn, page.service.workspace, upload, now=clock())
    return page.redirect(f"/runs/{loaded.run_id}?{'known' if loaded.known else 'loaded'}=1")


def discard(page: PageRequest) -> Response:
    upload = _upload(page)
    discard_upload(upload.path)
    return page.redirect(f"/load/{upload.dataset.name}")


def _dataset(page: PageRequest) -> Dataset:
    dataset = page.contract(page.request.path_params["dataset"]).dataset
    permissions.require(permissions.refusal_to_insert_for_others(dataset, page.caller))
    return dataset


def _upload(page: PageRequest) -> Upload:
    """Return the uploaded file of the address, with the mapping and totals that the page states."""
    dataset, place = _dataset(page), page.request.path_params["place"]
    asked = page.request.query_params
    return Upload(
        dataset=dataset,
        path=find_upload(page.service.settings.data_dir, dataset, page.caller, place),
        sender=(page.context(), page.service.roles),
        picks={name.removeprefix("m."): asked[name] for name in asked if name.startswith("m.")},
        sheet=asked.get("sheet") or None,
        totals=totals_of({name: text for name, text in page.form.items() if text.strip()}, dataset),
    )
