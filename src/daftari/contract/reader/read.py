"""
Read a contract: YAML, then validation by ODCS, then our own properties.

Any valid ODCS 3.0 or 3.1 contract can be read. `governable` checks what a contract also needs to be
enforced.
"""

from __future__ import annotations

from daftari.contract.model import Contract
from daftari.contract.reader.build import build_contract
from daftari.contract.reader.document import parse_document
from daftari.contract.reader.odcs_schema import odcs_faults
from daftari.errors import ContractError


def read_contract(text: str, *, source: str) -> Contract:
    """
    Return the contract that *text* states. *source* names it in messages.

    Raises:
        ContractError: with all faults, each with its line.
    """
    document = parse_document(text, source=source)
    if faults := odcs_faults(document):
        raise ContractError.from_faults(faults)
    contract, faults = build_contract(document)
    if faults:
        raise ContractError.from_faults(sorted(faults, key=lambda fault: fault.line))
    return contract
