"""daftari review: the quarterly review of who can reach what, and whether they still should."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from daftari.cli.options import (
    DryRunOption,
    EnvOption,
    Output,
    OutputOption,
    WorkspaceOption,
    err,
    out,
    print_json,
)
from daftari.cli.session import now, open_session
from daftari.compile.review import HeldAccess
from daftari.errors import SettingError
from daftari.operations.review.show_review import Review, ReviewEntry, Shown, require_attested, show_review
from daftari.operations.review.start_review import USUAL_DAYS, ReviewPeriod, start_review

if TYPE_CHECKING:
    from daftari.operations.review.close_review import Closed

app = typer.Typer(
    no_args_is_help=True, help="Review who can reach what: keep or revoke each access, and attest it."
)

_RELATIONS = 3


@app.command()
def start(
    quarter: Annotated[
        str | None, typer.Option(help="The quarter, e.g. 2026q4. Default: the current one.")
    ] = None,
    deadline: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help=f"From this day, closing revokes undecided access. Default: {USUAL_DAYS} days from now.",
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """
    Start a review: record who can reach governed rows, in which way, and how many rows.

    Example: daftari review start --deadline 2026-12-11
    """
    session = open_session(workspace, env)
    today = session.workspace.today(now())
    period = ReviewPeriod.of(quarter, deadline.date() if deadline else None, today=today)
    with session.connection() as conn, err.status("Finding who can reach what") as shown:
        review = start_review(
            conn,
            session.watched,
            period,
            now=now(),
            progress=lambda access: shown.update(f"Found {access.kind} of {access.grantee}"),
        )
    _show(Shown(review=review, is_as_attested=None), review.entries, output)


@app.command()
def show(
    review: Annotated[int | None, typer.Argument(help="The review's number. Default: the latest.")] = None,
    undecided: Annotated[bool, typer.Option("--open", help="Only undecided entries.")] = False,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """
    Show a review: each access and its decision; if it is closed, whether the audit still attests it.

    Example: daftari review show --open
    """
    session = open_session(workspace, env)
    with session.connection() as conn:
        shown = show_review(conn, review)
    _show(shown, shown.review.undecided if undecided else shown.review.entries, output)
    require_attested(shown)


@app.command()
def decide(
    decision: Annotated[str, typer.Argument(help="keep or revoke.")],
    entries: Annotated[
        list[int] | None, typer.Argument(help="Numbers of entries.", show_default=False)
    ] = None,
    reason: Annotated[str, typer.Option(help="The reason; it is kept with the decision.")] = "",
    grantee: Annotated[str | None, typer.Option(help="All undecided entries of this login or role.")] = None,
    about: Annotated[
        str | None, typer.Option("--object", help="All undecided entries about this role or relation.")
    ] = None,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """
    Decide on entries of the open review. You cannot decide on your own access.

    Example: daftari review decide revoke 4 7 --reason "left in October"
    """
    from daftari.operations.review.decide_review import Chosen, Decision, decide_review

    if decision not in ("keep", "revoke"):
        raise SettingError(f"review decide: {decision!r}; expected keep or revoke")
    if not entries and not grantee and not about:
        raise SettingError(
            "review decide: nothing to decide on; expected numbers of entries, --grantee or --object",
            hint="`daftari review show --open` lists what is undecided.",
        )
    chosen = Chosen(numbers=tuple(entries or ()), grantee=grantee, object=about)
    session = open_session(workspace, env)
    with session.connection() as conn:
        decided = decide_review(conn, chosen, Decision(keep=decision == "keep", reason=reason), now=now())
    if output is Output.JSON:
        print_json([asdict(one) for one in decided])
        return
    for one in decided:
        out.print(f"{one.entry_no}: {one.decision} {_what(one.access)}", markup=False)


@app.command()
def close(
    dry_run: DryRunOption = False,
    report: Annotated[Path | None, typer.Option(help="Also write the report to this file.")] = None,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """
    Close the open review: revoke access as decided and, from the deadline, undecided access; attest it in the audit.

    Example: daftari review close --report review-2026q4.html
    """
    from daftari.operations.review.close_review import close_review

    session = open_session(workspace, env)
    with session.connection() as conn, err.status("Closing the review"):
        closed = close_review(
            conn, session.watched, now=now(), time_zone=session.settings.time_zone, dry_run=dry_run
        )
    if report is not None and not dry_run:
        _write(report, Shown(review=closed.review, is_as_attested=True), session.settings.time_zone)
    if output is Output.JSON:
        print_json(closed)
        return
    _show_closed(closed, dry_run=dry_run)
    if report is not None and not dry_run:
        out.print(f"wrote {report}", markup=False)


def _show_closed(closed: Closed, *, dry_run: bool) -> None:
    for statement in closed.statements:
        out.print(f"{'would run' if dry_run else 'ran'}: {statement}", markup=False, soft_wrap=True)
    for one in closed.review.outstanding:
        out.print(f"{one.entry_no}: {_what(one.access)}: {one.outcome}", markup=False, soft_wrap=True)
    count = len(closed.review.entries)
    if dry_run:
        out.print(f"{len(closed.statements)} of {count} would be revoked; nothing was changed")
        return
    out.print(
        f"Closed: {len(closed.statements)} of {count} revoked, {len(closed.review.outstanding)} left to do"
    )
    out.print(f"Attested in the audit as {closed.review.digest}", soft_wrap=True)


@app.command()
def report(
    path: Annotated[Path, typer.Argument(help="The HTML file to write.", dir_okay=False)],
    review: Annotated[int | None, typer.Option(help="The review's number. Default: the latest.")] = None,
    workspace: WorkspaceOption = None,
    env: EnvOption = None,
) -> None:
    """
    Write a review for an auditor as one HTML file, self-contained and printable.

    Example: daftari review report review-2026q4.html
    """
    session = open_session(workspace, env)
    with session.connection() as conn:
        shown = show_review(conn, review)
    _write(path, shown, session.settings.time_zone)
    out.print(f"wrote {path}", markup=False)
    require_attested(shown)


def _write(path: Path, shown: Shown, time_zone: str) -> None:
    from daftari.operations.review.report_review import report_review

    report_review(shown, path, now=now(), time_zone=time_zone)


def _show(shown: Shown, entries: tuple[ReviewEntry, ...], output: Output) -> None:
    review = shown.review
    if output is Output.JSON:
        document: dict[str, Any] = {**asdict(review), "is_as_attested": shown.is_as_attested}
        print_json({**document, "entries": [asdict(one) for one in entries]})
        return
    out.print(_headline(review), soft_wrap=True)
    table = Table("no.", "who", "access", "rows", "last use", "decision", box=None, pad_edge=False)
    for one in entries:
        table.add_row(
            f"{one.entry_no}{'*' if one.is_new else ''}",
            one.access.grantee,
            _access_cell(one.access),
            "" if one.rows is None else f"{one.rows:,}",
            f"{one.access.last_use:%Y-%m-%d}" if one.access.last_use else "",
            one.outcome or one.decision or "",
        )
    out.print(table)
    if any(one.is_new for one in entries):
        out.print("* new since the previous review")


def _headline(review: Review) -> str:
    state = (
        f"closed by {review.closed_by}"
        if review.closed_at
        else f"{len(review.undecided)} of {len(review.entries)} undecided, deadline {review.deadline}"
    )
    return f"Access review {review.review_id}, {review.quarter}: {state}"


def _what(access: HeldAccess) -> str:
    return f"{access.kind} of {access.object} for {access.grantee}"


def _access_cell(access: HeldAccess) -> str:
    """Return the access and the first relations that it reaches, for one cell."""
    names = [one.relation for one in access.reach]
    more = f" and {len(names) - _RELATIONS} more" if len(names) > _RELATIONS else ""
    reach = f": {', '.join(names[:_RELATIONS])}{more}" if names and names != [access.object] else ""
    return f"{access.kind} {access.object}{reach}"
