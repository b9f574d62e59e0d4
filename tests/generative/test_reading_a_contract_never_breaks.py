"""Whatever a contract is spoilt with, it is read, or refused with faults: no other error, no silence."""

from __future__ import annotations

import io
import json
from copy import deepcopy
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from daftari.cli.contract_views import show_contract
from daftari.contract.as_json import as_plain
from daftari.contract.compatibility.compatibility import compare
from daftari.contract.reader.document import parse_document, walk
from daftari.contract.reader.odcs_schema import plain
from daftari.contract.reader.read import read_contract
from daftari.errors import ContractError
from daftari.io.workspace.files import enforcement_faults

WORKSPACE = Path(__file__).parents[2] / "workspace"
TEXTS = {path.name: path.read_text("utf-8") for path in sorted(WORKSPACE.rglob("*.odcs.yaml"))}
DOCUMENTS = [plain(parse_document(text, source=name).root) for name, text in TEXTS.items()]
CONTRACTS = [read_contract(text, source=name) for name, text in TEXTS.items()]

_SCALARS = [
    None,
    True,
    0,
    -1,
    10**30,
    1e300,
    1.5,
    "",
    " ",
    "x",
    "7y",
    "[",
    "(",
    "a.b",
    "a/b",
    "#/",
    "\u2028",
    "'",
    "--",
]
VALUES = st.recursive(
    st.sampled_from(_SCALARS) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def outcome(text: str) -> None:
    """Everything that is done with a contract, done with *text*."""
    try:
        contract = read_contract(text, source="c.yaml")
    except ContractError as error:
        assert error.faults, "an error without a fault tells nobody where to look"
        return
    assert compare(contract, contract) == ()
    for other in CONTRACTS:
        compare(contract, other)
    if len(contract.datasets) == 1:
        enforcement_faults(contract)
    json.dumps(as_plain(contract))
    show_contract(contract, Console(file=io.StringIO(), width=80))


@st.composite
def spoilt(draw: st.DrawFn) -> str:
    document = deepcopy(draw(st.sampled_from(DOCUMENTS)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([path for path, _ in walk(document) if path]))
        parent = document
        for step in path[:-1]:
            parent = parent[step]
        if draw(st.booleans()):
            parent[path[-1]] = draw(VALUES)
        else:
            del parent[path[-1]]
    return json.dumps(document)


@settings(max_examples=150, deadline=None)
@given(spoilt())
def test_a_contract_with_other_values_in_it(text):
    outcome(text)


@settings(max_examples=75, deadline=None)
@given(st.data())
def test_a_contract_with_its_text_cut_and_mixed(data):
    text = data.draw(st.sampled_from(list(TEXTS.values())))
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    outcome(text[:start] + data.draw(st.text(max_size=8)) + text[end:])


@settings(max_examples=75, deadline=None)
@given(st.text(max_size=60))
def test_any_text(text):
    outcome(text)
