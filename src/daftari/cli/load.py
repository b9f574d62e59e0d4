"""daftari load: files into one dataset."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daftari.cli.clock import now
from daftari.cli.loaded import raise_first, show_loaded
from daftari.cli.options import EnvOption, Output, OutputOption, SheetOption, WorkspaceOption, out, print_json
from daftari.cli.progress import rows_shown
from daftari.errors import SettingError
from daftari.operations.load.load_files import Files, explain_files, load_files

if TYPE_CHECKING:
    from daftari.cli.session import CommandSession
    from daftari.rows.intake.control_totals import ControlTotals
    from daftari.rows.mapping.explain import Explained

app = typer.Typer(add_completion=False)
MappingOption = Annotated[
    Path | None,
    typer.Option(
        help="A source mapping. Default: the pipeline's mapping that matches the file.",
        exists=True,
        dir_okay=False,
    ),
]
RoundingOption = Annotated[
    list[str] | None,
    typer.Option(
        "--rounding",
        help="How much a total may differ because its sender rounds: FIELD=MOST, e.g. amount=0.01.",
    ),
]


@app.command()
def load(
    dataset: Annotated[str, typer.Argument(help="The dataset to load into, e.g. expenses.")],
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Files: CSV, TSV, Excel, ODS, Parquet, JSON, JSON Lines; also gzip, bz2, zip. - is standard input.",
            show_default=False,
        ),
    ],
    mapping: MappingOption = None,
    sheet: SheetOption = None,
    total: Annotated[
        list[str] | None,
        typer.Option(
            "--total",
            help="A control total of each file: rows=N or FIELD=SUM. A file with another total is not loaded.",
        ),
    ] = None,
    rounding: RoundingOption = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show what was inferred and how each column maps; load nothing.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Load a file even though its content was loaded before.")
    ] = False,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Load FILES into DATASET; rows that break a rule go to quarantine, each with its reasons.

    Loading the same file again changes nothing. See rejected rows with daftari quarantine list.

    Example: daftari load expenses march.csv --total rows=1204 --total amount=90412.50
    """
    asked = Files(
        dataset=dataset,
        paths=files,
        mapping=mapping,
        sheet=sheet,
        totals=_totals(total or ()),
        again=again,
    )

    def opened() -> CommandSession:
        from daftari.cli.session import open_session  # while the first file is being hashed

        return open_session(workspace, env)

    if rounding:
        asked = replace(asked, totals=_with_rounding(asked.totals, rounding))
    if explain:
        _show_explained(explain_files(opened(), asked), output)
        return
    with rows_shown() as progress:
        done = load_files(opened, asked, clock=now, progress=progress)
    show_loaded(done.loaded, output)
    raise_first(done.errors)


def _totals(stated: Iterable[str]) -> ControlTotals | None:
    if not stated:
        return None
    from daftari.rows.intake.control_totals import ControlTotals

    sums = _figures("--total", stated)
    rows = sums.pop("rows", None)
    if rows is not None and rows % 1:
        raise _not_so("--total", f"rows={rows}", f"{str(rows)!r} is not a whole number")
    return ControlTotals(rows=None if rows is None else int(rows), sums=sums)


def _with_rounding(totals: ControlTotals | None, rounding: Iterable[str]) -> ControlTotals:
    from daftari.rows.intake.control_totals import ControlTotals

    return replace(totals or ControlTotals(), rounding=_figures("--rounding", rounding))


def _figures(option: str, texts: Iterable[str]) -> dict[str, Decimal]:
    from daftari.rows.intake.control_totals import stated_figure

    found = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            found[name] = stated_figure(value)
        except ValueError as error:
            raise _not_so(option, text, f"{value!r} {error}") from None
    return found


def _not_so(option: str, text: str, what: str) -> SettingError:
    return SettingError(
        f"{option} {text}: {what}",
        hint="For example --total rows=1204, --total amount=12.50 or --rounding amount=0.01",
    )


def _show_explained(found: Sequence[Explained], output: Output) -> None:
    if output is Output.JSON:
        print_json([asdict(one) for one in found])
        return
    for one in found:
        for line in one.lines():
            out.print(line, markup=False)
