"""What a superuser does to the audit with plain SQL is found, and named."""

from __future__ import annotations

import shutil
from datetime import timedelta

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.conftest import NOW
from tests.small_contracts import TEAMS, contracts

from daftari.errors import AuditBroken
from daftari.io.audit import audit_entries
from daftari.operations.audit.checkpoint_audit import checkpoint_audit
from daftari.operations.audit.verify_audit import verify_audit
from daftari.operations.schema.apply_contracts import apply_contracts

KEY = Ed25519PrivateKey.generate()
#: As an attacker would: every trigger rests.
BY_FORCE = "set session_replication_role = replica; "
SWITCH_OFF = """
do $$ declare t record; begin
    for t in
        select distinct tgrelid::regclass as relation from pg_trigger
        where tgfoid = 'daftari.refuse_change'::regproc and tgparentid = 0
    loop execute format('alter table %s disable trigger all', t.relation); end loop;
end $$;
alter event trigger daftari_watch_drops disable;
alter event trigger daftari_watch_commands disable;
"""
#: Computes the whole chain anew over what there is, as our own function would.
RECOMPUTE = """
do $$ declare l record; head text := (select log_id::text from daftari.audit_log); begin
    for l in select * from daftari.audit_link order by position loop
        l.entry_hash := (
            select daftari.audit_entry_hash(e) from daftari.audit_entry e where e.entry_id = l.entry_id
        );
        head := daftari.audit_link_hash(head, l.position, l.entry_id, l.entry_hash);
        update daftari.audit_link set entry_hash = l.entry_hash, hash = head where position = l.position;
    end loop;
end $$;
"""


DIGEST_ANEW = """
update daftari.audit_entry e
set digest = (
    select encode(sha256(sha256(convert_to(string_agg(old || E'\\n' || new || E'\\n', '' order by n), 'UTF8'))), 'hex')
    from daftari.audit_row r where r.entry_id = e.entry_id
)
where entry_id = {entry}
"""
#: Two links that name one another's entries.
LINKS_SWAPPED = """
update daftari.audit_link l
set entry_id = -o.entry_id, at = o.at, entry_hash = o.entry_hash
from daftari.audit_link o
where l.position + o.position = {position} + {place} and l.entry_id < 0 and o.entry_id < 0
"""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "anchors"


def fill(conn, root):
    apply_contracts(conn, contracts(TEAMS), migrations_dir=root, now=NOW)
    conn.execute("insert into ops.teams (team, budget, _run_id) values ('blue', 1, 1), ('red', 2, 1)")
    for n in range(10):
        conn.execute("update ops.teams set budget = budget + 1")
        if n in (4, 9):
            checkpoint_audit(conn, KEY, folder=root / "anchors", now=NOW + timedelta(minutes=n))


@pytest.fixture
def anchored(filled, tmp_path):
    """Ten updates of two rows each, anchored after the fifth and the last; their links are the last ten."""
    with filled(fill, tmp_path) as (conn, _):
        yield conn


def found(db, folder):
    verdict = verify_audit(db, KEY.public_key(), folder=folder)
    return [(it.kind, it.text) for it in verdict.findings]


def facts(db):
    """Entry, position and month of the newest links, oldest first."""
    return db.execute(
        "select l.entry_id, l.position, to_char(l.at at time zone 'UTC', 'YYYY-MM') "
        "from daftari.audit_link l order by position desc limit 10"
    ).fetchall()[::-1]


def partition(db, table):
    """The partition that holds the entries of the updates."""
    return db.execute(
        f"select tableoid::regclass::text from daftari.{table} order by entry_id desc"
    ).fetchone()[0]


def attack(db, statement, **names):
    db.execute(BY_FORCE)
    db.execute(SWITCH_OFF)
    for part in statement if isinstance(statement, list) else [statement]:
        db.execute(part.format(**names))


@pytest.mark.each_server
def test_what_nobody_touched_is_whole_and_anchored(anchored, folder):
    verdict = verify_audit(anchored, KEY.public_key(), folder=folder)
    last = facts(anchored)[-1][1]
    assert (verdict.name, verdict.findings, verdict.links, verdict.anchored) == ("whole", (), last, last)
    assert (verdict.entries, verdict.waiting) == (last, 0)


NAMED = "entry {entry} (update of ops.teams by daftari)"
#: Statement, and the kinds and texts of what is found. {entry} and {position} are of the seventh update.
ATTACKS = {
    "edited: an entry": (
        "update daftari.audit_entry set actor = 'nobody' where entry_id = {entry}",
        [
            (
                "edited",
                "entry {entry} (update of ops.teams by nobody): differs from the entry chained at {position}",
            )
        ],
    ),
    "edited: a row": (
        "update daftari.audit_row set new = replace(new, 'budget', 'Budget') where entry_id = {entry} and n = 2",
        [("edited", NAMED + ": its rows differ from those written")],
    ),
    "edited: a row that was never there": (
        "insert into daftari.audit_row values ({entry}, now(), 3, 'x', 'y')",
        [("edited", NAMED + ": its rows differ from those written")],
    ),
    "edited: rows in another order": (
        "update daftari.audit_row set n = 3 - n where entry_id = {entry}",
        [("edited", NAMED + ": its rows differ from those written")],
    ),
    "edited: a row and the digest over it": (
        [
            "update daftari.audit_row set new = 'x' where entry_id = {entry} and n = 1",
            DIGEST_ANEW,
        ],
        [("edited", NAMED + ": differs from the entry chained at {position}")],
    ),
    "edited: a link": (
        "update daftari.audit_link set entry_hash = repeat('0', 64) where position = {position}",
        [
            ("edited", NAMED + ": differs from the entry chained at {position}"),
            ("edited", "link {position} does not follow from the previous one"),
        ],
    ),
    "deleted: an entry": (
        "delete from daftari.audit_entry where entry_id = {entry}",
        [("deleted", "audit_entry of {month}: 1 entries: deleted")],
    ),
    "deleted: a row": (
        "delete from daftari.audit_row where entry_id = {entry} and n = 1",
        [
            ("deleted", "audit_row of {month}: 1 entries without their rows: deleted"),
            ("deleted", NAMED + ": only 1 of its 2 rows exist"),
        ],
    ),
    "deleted: a link with its entry": (
        [
            "delete from daftari.audit_link where position = {position}",
            "delete from daftari.audit_entry where entry_id = {entry}",
        ],
        [("deleted", "links {position} to {position} are missing from the chain")],
    ),
    "deleted: before it was chained": (
        [
            "update ops.teams set budget = 0",
            "delete from daftari.audit_entry where entry_id = (select max(entry_id) from daftari.audit_entry)",
            "select daftari.chain_audit()",
        ],
        [("deleted", "entry {next}: was deleted before it was chained")],
    ),
    "added: an entry": (
        "insert into daftari.audit_entry values (1000000, now(), 'read', 'ops.teams', 'x', 'x', 'x')",
        [
            (
                "added",
                "entry 1000000 (read of ops.teams by x): has no link in the chain, and is not waiting for one",
            )
        ],
    ),
    "added: a second entry of one number": (
        (
            "insert into daftari.audit_entry (entry_id, at, operation, relation, actor, login, role) "
            "values ({entry}, '2001-01-01', 'read', 'ops.teams', 'x', 'x', 'x')"
        ),
        None,
    ),
    "reordered: entries": (
        [
            "update daftari.audit_entry set entry_id = -entry_id where entry_id in ({entry}, {other})",
            "update daftari.audit_entry set entry_id = {entry} + {other} + entry_id where entry_id < 0",
        ],
        [("reordered", "entries {entry} and {other} changed places")],
    ),
    "reordered: links": (
        [
            "update daftari.audit_link set position = -position where position in ({position}, {place})",
            "update daftari.audit_link set position = {position} + {place} + position where position < 0",
        ],
        [("reordered", "links {position} and {place} changed places")],
    ),
    "reordered: what links name": (
        [
            "update daftari.audit_link set entry_id = -entry_id where position in ({position}, {place})",
            LINKS_SWAPPED,
        ],
        [("reordered", "links {position} and {place} changed places")],
    ),
    "tail cut": (
        [
            "delete from daftari.audit_entry where entry_id >= {entry}",
            "delete from daftari.audit_row where entry_id >= {entry}",
            "delete from daftari.audit_link where position >= {position}",
        ],
        [("tail_cut", "the chain ends at {before}; it had reached {last} when that was signed")],
    ),
    "recomputed": (
        ["update daftari.audit_entry set actor = 'nobody' where entry_id = {entry}", RECOMPUTE],
        [("recomputed", "the chain from {fifth} to {last} differs from the signed one")],
    ),
    "recomputed: under another number": (
        ["update daftari.audit_log set log_id = gen_random_uuid()", RECOMPUTE],
        None,
    ),
    "checkpoints forgotten": (
        "truncate daftari.audit_checkpoint",
        [],
    ),
    "truncated: entries": (
        "truncate {entries}",
        [
            (
                "truncated",
                "audit_entry of {month}: {last} entries; its partition is empty: truncated",
            )
        ],
    ),
    "truncated: rows": (
        "truncate {rows}",
        [
            (
                "truncated",
                "audit_row of {month}: 10 entries without their rows; its partition is empty: truncated",
            )
        ],
    ),
    "gone: entries": (
        ["alter table daftari.audit_entry detach partition {entries}", "drop table {entries}"],
        [("gone", "audit_entry of {month}: {last} entries; its partition was detached or dropped")],
    ),
    "gone: rows": (
        "drop table {rows}",
        [
            (
                "gone",
                "audit_row of {month}: 10 entries without their rows; its partition was detached or dropped",
            )
        ],
    ),
    "gone: everything": (
        ["truncate daftari.audit_entry, daftari.audit_row, daftari.audit_link, daftari.audit_checkpoint"],
        [
            ("tail_cut", "the chain ends at 0; it had reached {four} when that was signed"),
            ("tail_cut", "the chain ends at 0; it had reached {last} when that was signed"),
        ],
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_what_was_done_to_the_audit_is_named(anchored, folder, name):
    statement, expected = ATTACKS[name]
    newest = facts(anchored)
    (entry, position, month), (other, place, _) = newest[6], newest[8]
    names = {
        "entry": entry, "position": position, "other": other, "place": place, "month": month,
        "before": position - 1, "last": newest[-1][1], "four": newest[4][1], "fifth": newest[4][1] + 1,
        "entries": partition(anchored, "audit_entry"),
        "rows": partition(anchored, "audit_row"),
    }  # fmt: skip
    attack(anchored, statement, **names)
    names["next"] = anchored.execute("select last_value from daftari.audit_entry_number").fetchone()[0]

    told = found(anchored, folder)
    if expected is None:
        verdict = verify_audit(anchored, KEY.public_key(), folder=folder)
        assert verdict.name in ("broken", "not_anchored")
    else:
        assert told == [(kind, text.format(**names)) for kind, text in expected]


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        # the folder's keeper is an attacker too
        (lambda files: files[0].unlink(), ["anchor_missing", "anchor_missing"]),
        (lambda files: files[1].unlink(), ["anchor_missing"]),
        (lambda files: edit(files[1], '"hash": "', '"hash": "0'), ["forged"]),
        (lambda files: edit(files[1], '"signature": "', '"signature": "xx'), ["forged"]),
    ],
)
def test_what_was_done_to_anchors_is_named(anchored, folder, done, expected):
    done(sorted(folder.glob("*/*.json")))
    assert [kind for kind, _ in found(anchored, folder)] == expected


def edit(path, old, new):
    path.chmod(0o600)
    path.write_text(path.read_text().replace(old, new))


def test_an_anchor_signed_by_another_key_proves_nothing(anchored, folder):
    verdict = verify_audit(anchored, Ed25519PrivateKey.generate().public_key(), folder=folder)
    assert [it.kind for it in verdict.findings] == ["forged", "forged"]


def test_an_anchor_that_is_no_json_is_named(anchored, folder):
    edit(sorted(folder.glob("*/*.json"))[0], "{", "")
    with pytest.raises(AuditBroken, match="an anchor cannot be read"):
        verify_audit(anchored, KEY.public_key(), folder=folder)


def test_without_anchors_the_chain_is_not_held_to_be_proved(anchored, folder):
    shutil.rmtree(folder)
    anchored.execute(BY_FORCE + SWITCH_OFF + "truncate daftari.audit_checkpoint")
    assert verify_audit(anchored, KEY.public_key(), folder=folder).name == "not_anchored"


def test_an_audit_without_entries_is_no_proof_of_anything(db, folder):
    assert verify_audit(db, KEY.public_key(), folder=folder).name == "empty"


def test_nothing_is_signed_on_top_of_a_chain_that_was_recomputed(anchored, folder):
    attack(anchored, ["update daftari.audit_entry set actor = 'x'", RECOMPUTE])
    with pytest.raises(AuditBroken, match="is not the one that was signed; nothing was signed now"):
        checkpoint_audit(anchored, KEY, folder=folder, now=NOW)


def test_a_checkpoint_again_signs_nothing_new(anchored, folder):
    again = checkpoint_audit(anchored, KEY, folder=folder, now=NOW)
    assert (again.chained, again.anchor) == (0, None)


def test_entries_of_a_transaction_that_goes_on_wait_and_are_chained_after_it(anchored, folder):
    with audit_session(anchored) as other:
        with other.transaction():
            other.execute("update ops.teams set budget = 5 where team = 'blue'")
            anchored.execute("update ops.teams set budget = 6 where team = 'red'")
            done = checkpoint_audit(anchored, KEY, folder=folder, now=NOW)
            assert done.chained == 1
        assert verify_audit(anchored, KEY.public_key(), folder=folder).waiting == 1
        assert checkpoint_audit(anchored, KEY, folder=folder, now=NOW).chained == 1
    assert verify_audit(anchored, KEY.public_key(), folder=folder).name == "whole"


def audit_session(db):
    return psycopg.connect(db.info.dsn, autocommit=True)


def test_the_chain_is_refused_to_a_transaction_that_may_not_see_what_others_committed(anchored):
    with anchored.transaction(), pytest.raises(psycopg.errors.InvalidTransactionState):
        anchored.execute("set transaction isolation level repeatable read")
        audit_entries.extend_chain(anchored)
