"""
Reading a contract: YAML, then the official verdict of ODCS, then what our own properties say.

Any valid ODCS 3.0 or 3.1 contract can be read, whatever it describes. What a contract needs besides
in order to be enforced, `governable` says.
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
        ContractError: with every fault that was found, each with its line.
    """
    document = parse_document(text, source=source)
    if faults := odcs_faults(document):
        raise ContractError.from_faults(faults)
    contract, faults = build_contract(document)
    if faults:
        raise ContractError.from_faults(sorted(faults, key=lambda fault: fault.line))
    return contract
