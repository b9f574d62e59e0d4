"""Whether more rows were rejected than the contract tolerates."""

from __future__ import annotations

from daftari.contract.model import Dataset
from daftari.errors import TooManyRejected


def refusal_of_share(
    dataset: Dataset, received: int, rejected: int, *, where: str = "", then: str
) -> TooManyRejected | None:
    """
    Return the error where all rows were rejected, or more than the contract tolerates; None where not.

    *where* names the file, if there is one; *then* is what to do after the correction.
    """
    if not rejected or (rejected < received and rejected / received <= dataset.max_rejected_ratio):
        return None
    return TooManyRejected(
        f"{where or dataset.name}: {rejected:,} of {received:,} rows are in quarantine ({rejected / received:.1%}); "
        f"the contract tolerates {dataset.max_rejected_ratio:.1%}",
        hint=f"See them with `daftari quarantine show {dataset.name}`, correct them, then {then}.",
    )
