"""
Verify that an exported audit is whole, or report how it was changed.

    python verify_chain.py EXPORT ANCHORS PUBLIC_KEY

EXPORT is the file of `daftari audit export`, ANCHORS the folder of signed checkpoints, PUBLIC_KEY the signing key's
public PEM file. Exit code 0: whole and anchored; 1: anything else.

This file needs only Python and the package `cryptography`, not Daftari: someone who trusts neither the database
nor us can read it in 15 minutes. docs/reference/audit-chain.md describes the format.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

#: Values are exactly the hashed texts; None: no value.
Record = Mapping[str, str | None]

ENTRY = (
    "entry_id", "at", "operation", "relation", "actor", "login", "role", "purpose", "run_id", "request_id",
    "key", "rows", "digest", "detail",
)  # fmt: skip
LINK = ("position", "entry_id", "entry_hash")
CHECKPOINT = ("log", "position", "hash", "signed_at", "previous")
ROWS_A_BLOCK = 1000
#: Operations whose entries include the rows.
WITH_ROWS = ("update", "delete")
#: At most so many broken entries or links are compared with each other, to find swapped ones.
_COMPARED = 200


def packed(*texts: str | None) -> bytes:
    """Join texts, each with its length in bytes before it, so that different lists never give the same bytes."""
    parts = (b"-" if it is None else b"%d:%b," % (len(it.encode()), it.encode()) for it in texts)
    return b"".join(parts)


def hashed(*texts: str | None) -> str:
    return hashlib.sha256(packed(*texts)).hexdigest()


def entry_hash(entry: Record) -> str:
    return hashed("daftari.audit.entry.1", *(entry[name] for name in ENTRY))


def link_hash(previous: str, link: Record) -> str:
    return hashed("daftari.audit.link.1", previous, *(link[name] for name in LINK))


def checkpoint_bytes(checkpoint: Record) -> bytes:
    """Return the bytes that are signed, and whose hash the next checkpoint contains."""
    return packed("daftari.audit.checkpoint.1", *(checkpoint[name] for name in CHECKPOINT))


class RowsDigest:
    """The digest over an entry's rows: two lines each, old and new; blocks are hashed, then their hashes."""

    def __init__(self) -> None:
        self.count = 0
        self._whole = hashlib.sha256()
        self._block = hashlib.sha256()

    def add(self, row: Record) -> None:
        if self.count and self.count % ROWS_A_BLOCK == 0:
            self._whole.update(self._block.digest())
            self._block = hashlib.sha256()
        self._block.update(f"{row['old'] or ''}\n{row['new'] or ''}\n".encode())
        self.count += 1

    @property
    def digest(self) -> str:
        whole = self._whole.copy()
        whole.update(self._block.digest())
        return whole.hexdigest()


@dataclass(frozen=True)
class ChainFinding:
    kind: str  #: edited, deleted, added, reordered, truncated, gone, tail_cut, recomputed …
    text: str


@dataclass(frozen=True)
class ChainVerdict:
    findings: tuple[ChainFinding, ...]
    entries: int
    links: int
    waiting: int  #: entries that are not chained yet
    anchored: int  #: the last position that an anchor attests; 0: none

    @property
    def name(self) -> str:
        if self.findings:
            return "broken"
        if self.entries + self.links == 0:
            return "empty"
        return "whole" if self.anchored else "not_anchored"


def verify_chain(records: Iterable[Record], anchors: Sequence[Record], key: Ed25519PublicKey) -> ChainVerdict:
    """
    Check *records*, in export order, for consistency and against *anchors*.

    Without an anchor, the whole chain may have been recomputed without trace.
    """
    chain = _Chain(positions={_position(it) for it in anchors})
    for record in records:
        chain.take(record)
    chain.finish()
    findings = [*chain.findings(), *_anchor_findings(chain, anchors, key)]
    good = [_position(it) for it in anchors if chain.hashes.get(_position(it)) == it["hash"]]
    return ChainVerdict(tuple(findings), chain.entries, chain.links, chain.waiting, max(good, default=0))


@dataclass
class _Chain:
    """Takes the records one by one, and collects faults."""

    positions: set[int]  #: positions whose hashes to keep
    log: str = ""
    previous: str = ""  #: the hash of the last link; empty if that link is missing
    last: int = 0
    entries: int = 0
    links: int = 0
    waiting: int = 0
    hashes: dict[int, str] = field(default_factory=dict)
    checkpoints: list[Record] = field(default_factory=list)
    partitions: dict[tuple[str, str], int] = field(default_factory=dict)
    reported: list[ChainFinding] = field(default_factory=list)
    #: links that do not follow, each with the previous hash
    broken_links: list[tuple[str, Record]] = field(default_factory=list)
    missing_entries: list[Record] = field(default_factory=list)  #: links whose entry is missing
    #: links, each with an entry whose hash differs
    changed_entries: list[tuple[Record, Record]] = field(default_factory=list)
    #: entries, each with the number of rows found
    incomplete_entries: list[tuple[Record, int]] = field(default_factory=list)
    link: Record | None = None
    entry: Record | None = None
    rows: RowsDigest = field(default_factory=RowsDigest)

    def take(self, record: Record) -> None:
        match record["record"]:
            case "log":
                self.log = self.previous = record["log"] or ""
            case "partition":
                place = (record["table"] or "", record["month"] or "")
                self.partitions[place] = int(record["entries"] or 0)
            case "checkpoint":
                self.checkpoints.append(record)
            case "link":
                self.finish()
                self.link = record
                self._follow(record)
            case "entry":
                if self.entry or self.link is None or self.link["entry_id"] != record["entry_id"]:
                    self.finish()
                self.entry, self.rows = record, RowsDigest()
            case "row":
                self.rows.add(record)

    def _follow(self, link: Record) -> None:
        """Check that a link follows the previous one."""
        position = _position(link)
        if position != self.last + 1:
            self._say("deleted", f"links {self.last + 1} to {position - 1} are missing from the chain")
        elif link_hash(self.previous, link) != link["hash"]:
            self.broken_links.append((self.previous, link))
        self.links, self.last, self.previous = self.links + 1, position, link["hash"] or ""
        if position in self.positions:
            self.hashes[position] = self.previous

    def finish(self) -> None:
        """Finish the current link and entry."""
        link, entry = self.link, self.entry
        self.link = self.entry = None
        if entry is None:
            if link is not None:
                self.missing_entries.append(link)
            return
        self.entries += 1
        if link is None:
            self._unlinked(entry)
        elif entry_hash(entry) != link["entry_hash"]:
            self.changed_entries.append((link, entry))
            return
        if entry["operation"] in WITH_ROWS:
            if self.rows.count < int(entry["rows"] or 0):
                self.incomplete_entries.append((entry, self.rows.count))
            elif self.rows.digest != entry["digest"] or self.rows.count != int(entry["rows"] or 0):
                self._say("edited", f"{_named(entry)}: its rows differ from those written")

    def _unlinked(self, entry: Record) -> None:
        if entry.get("waiting"):
            self.waiting += 1
        else:
            self._say("added", f"{_named(entry)}: has no link in the chain, and is not waiting for one")

    def _say(self, kind: str, text: str) -> None:
        self.reported.append(ChainFinding(kind, text))

    def findings(self) -> Iterator[ChainFinding]:
        yield from self.reported
        yield from self._swapped_entries()
        yield from self._swapped_links()
        yield from self._absent()

    def _swapped_entries(self) -> Iterator[ChainFinding]:
        """Find entries that differ from the chain: two that changed places, or one that was edited."""
        compared = self.changed_entries[:_COMPARED]
        done: set[str | None] = set()
        for link, _ in compared:
            for other, content in compared:
                if (
                    other is not link
                    and entry_hash({**content, "entry_id": link["entry_id"]}) == link["entry_hash"]
                ):
                    if link["entry_id"] not in done:
                        yield ChainFinding(
                            "reordered", f"entries {link['entry_id']} and {other['entry_id']} changed places"
                        )
                    done |= {link["entry_id"], other["entry_id"]}
        for link, entry in self.changed_entries:
            if link["entry_id"] in done:
                continue
            if link["entry_hash"] is None:
                yield ChainFinding("added", f"{_named(entry)}: did not exist when its place was chained")
            else:
                yield ChainFinding(
                    "edited", f"{_named(entry)}: differs from the entry chained at {link['position']}"
                )

    def _swapped_links(self) -> Iterator[ChainFinding]:
        """Find links that do not follow from the previous one: two that changed places, or one that was edited."""
        compared = self.broken_links[:_COMPARED]
        done: set[int] = set()
        for at, (previous, link) in enumerate(compared):
            for _, other in compared[at + 1 :]:
                moved = {**other, "position": link["position"]}
                places = _position(link), _position(other)
                if link_hash(previous, moved) in (link["hash"], other["hash"]) and not done & set(places):
                    yield ChainFinding("reordered", f"links {places[0]} and {places[1]} changed places")
                    done |= {places[0], places[0] + 1, places[1], places[1] + 1}
        for _, link in self.broken_links:
            if _position(link) not in done:
                yield ChainFinding("edited", f"link {link['position']} does not follow from the previous one")

    def _absent(self) -> Iterator[ChainFinding]:
        """Find missing entries and rows, by month."""
        gone = [it for it in self.missing_entries if it["entry_hash"] is None]
        for link in gone:
            yield ChainFinding("deleted", f"entry {link['entry_id']}: was deleted before it was chained")
        by_month = Counter(it["month"] or "" for it in self.missing_entries if it["entry_hash"] is not None)
        for month, count in sorted(by_month.items()):
            yield self._lost("audit_entry", month, count, "entries")
        for month, count in sorted(
            Counter((it["at"] or "")[:7] for it, _ in self.incomplete_entries).items()
        ):
            yield self._lost("audit_row", month, count, "entries without their rows")
        for entry, count in self.incomplete_entries:
            if self.partitions.get(("audit_row", (entry["at"] or "")[:7])):
                yield ChainFinding(
                    "deleted", f"{_named(entry)}: only {count} of its {entry['rows']} rows exist"
                )

    def _lost(self, table: str, month: str, count: int, what: str) -> ChainFinding:
        kept = self.partitions.get((table, month))
        where = f"{table} of {month}: {count} {what}"
        if kept is None:
            return ChainFinding("gone", f"{where}; its partition was detached or dropped")
        if kept == 0:
            return ChainFinding("truncated", f"{where}; its partition is empty: truncated")
        return ChainFinding("deleted", f"{where}: deleted")


def _named(entry: Record) -> str:
    return f"entry {entry['entry_id']} ({entry['operation']} of {entry['relation']} by {entry['actor']})"


def _anchor_findings(
    chain: _Chain, anchors: Sequence[Record], key: Ed25519PublicKey
) -> Iterator[ChainFinding]:
    """Compare the chain with the signed checkpoints."""
    previous: str | None = None
    good = 0
    for anchor in sorted(anchors, key=_position):
        if not _is_signed(anchor, key):
            yield ChainFinding("forged", f"anchor of {_position(anchor)}: not signed by this key")
            continue
        if anchor["previous"] != previous:
            yield ChainFinding(
                "anchor_missing", f"anchor of {_position(anchor)}: the previous anchor is missing"
            )
        previous = hashlib.sha256(checkpoint_bytes(anchor)).hexdigest()
        finding = _against(chain, anchor, good)
        if finding is None:
            good = _position(anchor)
        else:
            yield finding
    existing = {anchor["position"] for anchor in anchors}
    for checkpoint in chain.checkpoints:
        if checkpoint["position"] not in existing:
            yield ChainFinding("anchor_missing", f"anchor of {checkpoint['position']}: signed, but missing")


def _against(chain: _Chain, anchor: Record, good: int) -> ChainFinding | None:
    """Compare the chain with one anchor; *good* is the last position that agreed."""
    position = _position(anchor)
    if anchor["log"] != chain.log:
        return ChainFinding(
            "recomputed", f"anchor of {position}: belongs to another log than this database's"
        )
    if position > chain.last:
        text = f"the chain ends at {chain.last}; it had reached {position} when that was signed"
        return ChainFinding("tail_cut", text)
    if chain.hashes.get(position) != anchor["hash"]:
        text = f"the chain from {good + 1} to {position} differs from the signed one"
        return ChainFinding("recomputed", text)
    return None


def _is_signed(anchor: Record, key: Ed25519PublicKey) -> bool:
    try:
        key.verify(bytes.fromhex(anchor["signature"] or ""), checkpoint_bytes(anchor))
    except (InvalidSignature, ValueError):
        return False
    return True


def _position(record: Record) -> int:
    return int(record["position"] or 0)


def read_export(path: Path) -> Iterator[Record]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def read_anchors(folder: Path) -> list[Record]:
    return [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("checkpoint-*.json"))]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("export", "anchors", "public_key"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    key = load_pem_public_key(given.public_key.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        parser.error("the public key is not an Ed25519 key")
    verdict = verify_chain(read_export(given.export), read_anchors(given.anchors), key)
    for finding in verdict.findings:
        print(f"{finding.kind:<14} {finding.text}")
    print(
        f"{verdict.name}: {verdict.entries} entries, {verdict.links} links, {verdict.waiting} not chained yet, "
        f"anchored up to {verdict.anchored}"
    )
    return 0 if verdict.name == "whole" else 1


if __name__ == "__main__":
    sys.exit(main())
