"""The chain as docs/reference/audit-chain.md says it, on records made by hand."""

from __future__ import annotations

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from daftari.protect.verify_chain import (
    ENTRY,
    RowsDigest,
    checkpoint_bytes,
    entry_hash,
    hashed,
    link_hash,
    packed,
    verify_chain,
)

KEY = Ed25519PrivateKey.generate()
LOG = "3f0e9f0a-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ((), b""),
        (("",), b"0:,"),
        ((None,), b"-"),
        # bytes are counted, not signs
        (("Mwangi ñ",), "9:Mwangi ñ,".encode()),
        (("a", "b"), b"1:a,1:b,"),
        # what a join would take for the same
        (("a,1:b",), b"5:a,1:b,"),
    ],
)
def test_texts_are_packed_with_their_lengths(said, expected):
    assert packed(*said) == expected
    assert hashed(*said) == sha256(expected).hexdigest()


@pytest.mark.parametrize(
    ("count", "blocks"),
    [(1, [1]), (999, [999]), (1000, [1000]), (1001, [1000, 1]), (2000, [1000, 1000])],
)
def test_rows_are_hashed_in_blocks(count, blocks):
    rows = RowsDigest()
    for n in range(count):
        rows.add({"old": f'{{"n":{n}}}', "new": None})
    texts = iter(f'{{"n":{n}}}\n\n'.encode() for n in range(count))
    hashes = [sha256(b"".join(next(texts) for _ in range(size))).digest() for size in blocks]
    assert (rows.count, rows.digest) == (count, sha256(b"".join(hashes)).hexdigest())


def chain(count):
    """An export of *count* reads, and its head."""
    records, previous = [{"record": "log", "log": LOG}], LOG
    for n in range(1, count + 1):
        entry = {
            **dict.fromkeys(ENTRY),
            "entry_id": str(n),
            "operation": "read",
            "relation": "ops.t",
            "actor": "a",
        }
        link = {"position": str(n), "entry_id": str(n), "entry_hash": entry_hash(entry), "month": "2026-11"}
        link["hash"] = previous = link_hash(previous, link)
        records += [{"record": "link", **link}, {"record": "entry", **entry, "waiting": None}]
    return records, previous


def anchor(position, head, previous=None, log=LOG):
    said = {
        "log": log,
        "position": str(position),
        "hash": head,
        "signed_at": "2026-11-23",
        "previous": previous,
    }
    return {**said, "signature": KEY.sign(checkpoint_bytes(said)).hex()}


def told(records, *anchors):
    verdict = verify_chain(records, anchors, KEY.public_key())
    return verdict.name, [it.kind for it in verdict.findings], verdict.anchored


@pytest.mark.parametrize(
    ("count", "anchored", "expected"),
    [
        (0, None, ("empty", [], 0)),
        (3, None, ("not_anchored", [], 0)),
        (3, 3, ("whole", [], 3)),
        # what came after the anchor is whole in itself
        (3, 2, ("whole", [], 2)),
    ],
)
def test_a_chain_is_whole_only_when_it_is_anchored_too(count, anchored, expected):
    records, _ = chain(count)
    anchors = [anchor(anchored, chain(anchored)[1])] if anchored else []
    assert told(records, *anchors) == expected


def test_anchors_name_the_one_before_and_one_that_is_gone_is_missed():
    records, head = chain(5)
    first = anchor(2, chain(2)[1])
    second = anchor(4, chain(4)[1], sha256(checkpoint_bytes(first)).hexdigest())
    third = anchor(5, head, sha256(checkpoint_bytes(second)).hexdigest())
    assert told(records, third, first, second) == ("whole", [], 5)
    assert told(records, first, third) == ("broken", ["anchor_missing"], 5)


def test_anchors_of_another_log_vouch_for_nothing():
    records, head = chain(2)
    assert told(records, anchor(2, head, log="another")) == ("broken", ["recomputed"], 2)


def test_entries_that_wait_are_counted_and_no_fault():
    records, head = chain(2)
    waiting = {**records[-1], "entry_id": "3", "waiting": "3"}
    verdict = verify_chain([*records, waiting], [anchor(2, head)], KEY.public_key())
    assert (verdict.name, verdict.entries, verdict.waiting) == ("whole", 3, 1)
