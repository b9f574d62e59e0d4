"""Name the cause of rows that the server rejects because it rejects a row that they refer to."""

from __future__ import annotations

from collections.abc import Mapping

from daftari.contract.model import Dataset
from daftari.rows.intake.batch import Batch
from daftari.rows.intake.intake import as_reasons
from daftari.rows.rules.orphans import causes_of
from daftari.rows.rules.references import reference_rule
from daftari.rows.rules.rejection import Refusal


def with_causes(refused: Mapping[int, Refusal], batch: Batch, dataset: Dataset) -> dict[int, Refusal]:
    """Return *refused*, rows of *batch* by line, with the line of the cause where that is another of its rows."""
    own = {reference_rule(it): it for it in dataset.relationships if it.target == dataset.name}
    found = {line: own[why.rule] for line, why in refused.items() if why.rule in own}
    if not found:
        return dict(refused)
    reasons = {line: as_reasons(why, dataset) for line, why in refused.items() if line not in found}
    orphaned, rejected = (
        (batch.rows.filter(chosen), batch.lines.filter(chosen))
        for chosen in (batch.lines.is_in(list(lines)) for lines in (found, reasons))
    )
    return {**refused, **causes_of(found, orphaned, rejected, reasons)}
