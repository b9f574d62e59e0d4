"""Opens a workbook (.xlsx, .xlsm, .xlsb, .xls, .ods), and decides which of its sheets is read."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from daftari.errors import SourceError
from daftari.io.delimited.header import SAMPLE_RECORDS, SEARCHED_RECORDS, Sought
from daftari.io.workbooks.ods import ods_rows, ods_samples, ods_sheets
from daftari.io.workbooks.ooxml import OoxmlBook
from daftari.io.workbooks.ooxml_sheet import ooxml_rows
from daftari.io.workbooks.other_workbooks import OtherBook
from daftari.io.workbooks.sheet_rows import MOST_ROW_BYTES, MOST_ROWS, SheetRows
from daftari.io.workbooks.sheet_table import Sheet, find_table, first_rows
from daftari.io.workbooks.xml_stream import Package, damaged
from daftari.rows.intake.remarks import Remark, RemarkKind
from daftari.rows.mapping.header_names import hits

#: A workbook with more sheets is read only where its sheet is named.
_MOST_SHEETS = 250
#: As many sheets are named in one message, or remarked on one by one.
_MOST_NAMED = 25


@dataclass(frozen=True, kw_only=True, eq=False)
class _Candidate:
    """A sheet that may be read."""

    file: str  #: the workbook's name
    name: str
    is_hidden: bool
    rows: Callable[..., Iterator[SheetRows]]  #: in blocks of at most `most_rows`
    first: Callable[[int], SheetRows] | None = None  #: the same as the first of them, where that is faster

    def sample(self, most_rows: int) -> SheetRows:
        """
        Return the first rows with a cell; the rest of the sheet is not read.

        Raises:
            SourceError: they hold more text than people write.
        """
        found = self.first(most_rows) if self.first else self._first(most_rows)
        if found.text_bytes > MOST_ROW_BYTES:
            what = (
                f"the first rows of sheet {self.name!r} hold more than {MOST_ROW_BYTES // 2**20} MiB of text"
            )
            raise damaged(self.file, what)
        return found

    def _first(self, most_rows: int) -> SheetRows:
        with closing(self.rows(most_rows=most_rows)) as blocks:  # type: ignore[type-var]  # a generator closes
            return next(blocks)


def find_sheet(path: Path, sought: Sought) -> tuple[Sheet, Callable[[], Iterator[SheetRows]]]:
    """
    Find the sheet that the mapping names, or the only one with rows, or the one with the best known header.

    Return it, and how its rows are read.

    Raises:
        SourceError: the workbook is damaged or has no such sheet, or the sheet is ambiguous.
    """
    candidates = _candidates(path, sought.name)
    most_rows = min(MOST_ROWS, max(SAMPLE_RECORDS, sought.header_row or 0))
    declared = sought.mapping.sheet if sought.mapping else None
    if declared is None:
        samples = _with_rows(candidates, sought.name, most_rows)
        chosen = _chosen(samples, sought)
        others = [one for one in samples if one is not chosen and not one.is_hidden]
        sample = samples[chosen]
    else:
        chosen, others = _named(candidates, declared, sought.name), []
        sample = chosen.sample(most_rows)
        if not len(sample.lines):
            raise _without_rows(f"{sought.name}: sheet {chosen.name!r} has no rows")
    hidden = [one for one in candidates if one.is_hidden and one is not chosen]
    sheet = Sheet(
        name=chosen.name,
        table=find_table(sample, sought),
        remarks=tuple(_remarks(chosen, others, hidden)),
        fills=bool(sought.mapping and sought.mapping.merged == "fill"),
    )
    return sheet, chosen.rows


def sheets_with_rows(path: Path, name: str) -> tuple[str, ...]:
    """Return the names of the sheets that have rows, the hidden ones last. Raises as `find_sheet`."""
    found = _with_rows(_candidates(path, name), name, SAMPLE_RECORDS)
    return tuple(one.name for one in sorted(found, key=lambda one: one.is_hidden))


def _candidates(path: Path, name: str) -> list[_Candidate]:
    if not zipfile.is_zipfile(path):
        return _of_other(path, name)
    package = Package(path, name)
    if "xl/workbook.xml" in package:
        book = OoxmlBook(package)
        return [
            _Candidate(file=name, name=one.name, is_hidden=one.is_hidden, rows=partial(ooxml_rows, book, one))
            for one in book.sheets
        ]
    if "content.xml" in package:
        samples = lru_cache(maxsize=1)(partial(ods_samples, package))
        return [
            _Candidate(
                file=name,
                name=sheet,
                is_hidden=is_hidden,
                rows=partial(ods_rows, package, place),
                first=partial(_of_all, samples, place),
            )
            for place, (sheet, is_hidden) in enumerate(ods_sheets(package))
        ]
    return _of_other(path, name)


def _of_all(samples: Callable[[int], tuple[SheetRows, ...]], place: int, most_rows: int) -> SheetRows:
    return samples(most_rows)[place]


def _of_other(path: Path, name: str) -> list[_Candidate]:
    book = OtherBook(path, name)
    return [
        _Candidate(file=name, name=one, is_hidden=False, rows=partial(book.rows, one)) for one in book.sheets
    ]


def _with_rows(candidates: list[_Candidate], name: str, most_rows: int) -> dict[_Candidate, SheetRows]:
    if len(candidates) > _MOST_SHEETS:
        raise SourceError(f"{name}: has {len(candidates):,} sheets; one was expected", hint=_NAME_IT)
    samples = {one: one.sample(most_rows) for one in candidates}
    return {one: sample for one, sample in samples.items() if len(sample.lines)}


_NAME_IT = "Name it with --sheet, or with `sheet` in the source mapping."


def _named(candidates: list[_Candidate], declared: int | str, name: str) -> _Candidate:
    """Return the sheet called *declared*, or the one with this number, from 1."""
    if isinstance(declared, str):
        for alike in (str, lambda text: text.strip().casefold()):
            found = [one for one in candidates if alike(one.name) == alike(declared)]
            if len(found) == 1:
                return found[0]
    number = int(declared) if str(declared).strip().isdecimal() else 0
    if 0 < number <= len(candidates):
        return candidates[number - 1]
    raise SourceError(f"{name}: has no sheet {declared!r}; it has {_listed(candidates, repr)}", hint=_NAME_IT)


def _listed(candidates: Sequence[_Candidate], shown: Callable[[str], str] = str) -> str:
    names = ", ".join(shown(one.name) for one in candidates[:_MOST_NAMED])
    more = len(candidates) - _MOST_NAMED
    return f"{names} and {more:,} more" if more > 0 else names


def _chosen(samples: dict[_Candidate, SheetRows], sought: Sought) -> _Candidate:
    if not samples:
        raise _without_rows(f"{sought.name}: has no sheet with rows")
    if len(samples) == 1:
        return next(iter(samples))
    scores = {one: (_known(sample, sought), not one.is_hidden) for one, sample in samples.items()}
    best = max(scores.values())
    leaders = [one for one, score in scores.items() if score == best]
    shown = [one for one in samples if not one.is_hidden]
    if len(leaders) == 1 and (best[0] or len(shown) == 1):
        return leaders[0]
    names = _listed(list(samples))
    raise SourceError(
        f"{sought.name}: has {len(samples)} sheets with rows ({names}); one was expected", hint=_NAME_IT
    )


def _without_rows(what: str) -> SourceError:
    return SourceError(what, hint="Ask the sender for the file again.")


def _known(sample: SheetRows, sought: Sought) -> int:
    return max((hits(row, sought.known) for row in first_rows(sample)[:SEARCHED_RECORDS]), default=0)


def _remarks(chosen: _Candidate, others: list[_Candidate], hidden: list[_Candidate]) -> Iterator[Remark]:
    if chosen.is_hidden:
        yield Remark(kind=RemarkKind.SHEET, text=f"sheet {chosen.name!r}, which is read, is hidden")
    for one in others:
        yield Remark(kind=RemarkKind.SHEET, text=f"sheet {one.name!r} is not read")
    for one in hidden[:_MOST_NAMED]:
        yield Remark(kind=RemarkKind.SHEET, text=f"sheet {one.name!r}, which is hidden, is not read")
    if len(hidden) > _MOST_NAMED:
        text = f"{len(hidden) - _MOST_NAMED:,} more sheets, which are hidden, are not read"
        yield Remark(kind=RemarkKind.SHEET, text=text)
