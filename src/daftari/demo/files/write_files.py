"""Generate and write all demo files, in load order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from daftari.demo.files.expected import DemoFile
from daftari.demo.files.expense_files import expense_files
from daftari.demo.files.incident_files import incident_files
from daftari.demo.files.leave_files import leave_files
from daftari.demo.files.organisation_files import organisation_files
from daftari.demo.files.payroll_files import payroll_files
from daftari.demo.organisation.expenses import make_expenses
from daftari.demo.organisation.incidents import make_incidents
from daftari.demo.organisation.leave import make_leave
from daftari.demo.organisation.pay import make_payroll
from daftari.demo.organisation.people import make_organisation
from daftari.io.workspace.whole_files import write_whole_file

MANIFEST = "manifest.csv"


def demo_files(seed: int) -> Iterator[DemoFile]:
    """Yield the files; the same *seed* gives the same bytes."""
    organisation = make_organisation(seed)
    yield from organisation_files(seed, organisation)
    yield from expense_files(seed, make_expenses(seed, organisation))
    yield from leave_files(seed, make_leave(seed, organisation))
    yield from payroll_files(seed, make_payroll(seed, organisation))
    yield from incident_files(seed, make_incidents(seed, organisation))


def write_demo_files(files: Iterable[DemoFile], folder: Path) -> list[Path]:
    """Write each file to `folder/<dataset>/<name>`, with a manifest if control totals are known."""
    written = []
    stated: dict[str, list[str]] = {}
    for file in files:
        path = folder / file.dataset / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole_file(path, file.content)
        written.append(path)
        if file.control_totals:
            sums = [f"{value}" for value in file.control_totals.sums.values()]
            header = ",".join(("file", "rows", *file.control_totals.sums))
            rows = stated.setdefault(file.dataset, [header])
            rows.append(",".join((file.name, str(file.control_totals.rows), *sums)))
    for dataset, rows in stated.items():
        write_whole_file(folder / dataset / MANIFEST, ("\n".join(rows) + "\n").encode())
    return written
