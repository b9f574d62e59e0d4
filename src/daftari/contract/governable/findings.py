"""A fault in a contract's model, before its file is known."""

from __future__ import annotations

from dataclasses import dataclass

from daftari.contract.model import Contract, Dataset, Field
from daftari.errors import Fault


@dataclass(frozen=True)
class ContractFinding:
    place: str  #: below the field if there is one, else below the dataset
    found: str
    expected: str
    field: Field | None = None
    line: int | None = None  #: if more precise than the field's or dataset's line

    def in_dataset(self, contract: Contract, dataset: Dataset) -> Fault:
        at = self.field or dataset
        names = (dataset.name, self.field.name if self.field else "", self.place)
        return Fault(
            source=contract.source,
            line=self.line or at.line,
            place=".".join(name for name in names if name),
            found=self.found,
            expected=self.expected,
        )
