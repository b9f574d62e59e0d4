"""
Every kind of change of a contract, on tables with rows, on every PostgreSQL of this machine.

The table says the class of each; `plan` and `contract diff` must both say it. A breaking change is refused without
the flag and changes nothing; with it, rows keep every value that the change is not about.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from tests.contracts import contract_document
from tests.contracts import field as column

from daftari.contract.compatibility.compatibility import compare
from daftari.contract.reader.read import read_contract
from daftari.errors import BreakingChange, DatabaseError
from daftari.operations.schema.apply_contracts import apply_contracts, plan_contracts
from daftari.operations.schema.verify_database import verify_database

pytestmark = pytest.mark.each_server

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
CLASSES = ("additive", "restriction", "exposure", "breaking")
ACCESS = [
    {"role": "kinds_hr", "operations": ["read", "insert", "update", "delete"], "rows": "all"},
    {"role": "kinds_chief", "operations": ["read"], "rows": "all", "masked": ["salary", "code"]},
    {"role": "kinds_peer", "operations": ["read"], "rows": "own", "fields": ["staff_id", "name", "team"]},
]
STATES = [{"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["asked", "hired", "left"]}}]
TEAMS = contract_document(
    name="teams",
    fields=[
        column("team", "string", required=True, primaryKey=True),
        column("city", "string"),
    ],
    custom={"access": [{"role": "kinds_hr", "operations": ["read"], "rows": "all"}]},
)
STAFF = contract_document(
    name="staff",
    fields=[
        column("staff_id", "string", required=True, primaryKey=True),
        column("team", "string", required=True, relationships=[{"type": "foreignKey", "to": "teams.team"}]),
        column("name", "string", classification="personal", logicalTypeOptions={"maxLength": 40}),
        column("salary", "number", physicalType="numeric(10,2)", logicalTypeOptions={"minimum": 0}),
        column("status", "string", required=True, quality=STATES),
        column("started", "date"),
        column("email", "string", unique=True),
        column("level", "integer"),
        column("note", "string", description="A remark."),
        column("code", "string", physicalType="varchar(10)"),
    ],
    custom={
        "subject": "staff_id",
        "access": ACCESS,
        "rules": [{"id": "level_positive", "expression": "level > 0", "message": "is not positive"}],
        "indexes": [["started"]],
        "retention": "5y",
    },
)
READINGS = contract_document(
    name="readings",
    fields=[
        column("reading", "integer", required=True, primaryKey=True),
        column("read_at", "timestamp", required=True),
        column("litres", "number"),
    ],
    custom={"partition": {"field": "read_at", "every": "quarter", "ahead": 1, "start": "2026-07"}},
)
ROWS = """
    insert into ops.teams (team, city, _run_id) values ('blue', 'Nairobi', 1), ('red', 'Kisumu', 2);
    insert into ops.staff
        (staff_id, team, name, salary, status, started, email, level, note, code, _run_id)
    values ('s1', 'blue', 'Amina', 1200.50, 'hired', '2026-01-05', 'a@x.ke', 1, '7', 'A1', 1),
           ('s2', 'red', 'Otieno', 900, 'asked', null, 'o@x.ke', 2, '8', 'B2', 2),
           ('s3', 'red', 'Njeri', 700, 'hired', '2025-03-01', 'n@x.ke', 3, '9', 'C3', 3);
    insert into ops.readings (reading, read_at, litres, _run_id) values
        (1, '2026-07-02', 5, 1), (2, '2026-11-02', 6, 2), (3, '2031-01-01', 7, 3);
"""


def item(document):
    return document["schema"][0]


def of(document, name):
    return next(it for it in item(document)["properties"] if it["name"] == name)


def properties(holder):
    return holder.setdefault("customProperties", [])


def custom(holder, name, value):
    """Set a `daftari.*` property of a dataset or a field; None removes it."""
    kept = [it for it in properties(holder) if it["property"] != f"daftari.{name}"]
    if value is not None:
        kept.append({"property": f"daftari.{name}", "value": value})
    holder["customProperties"] = kept


def said(**changes):
    """Return a change of one field: its ODCS attributes; None removes one."""
    ((name, attributes),) = changes.items()

    def change(document):
        for key, value in attributes.items():
            of(document, name)[key] = value
            if value is None:
                del of(document, name)[key]

    return change


def access(*lines):
    return lambda document: custom(item(document), "access", list(lines))


def dataset(name, value):
    return lambda document: custom(item(document), name, value)


def added(*fields):
    return lambda document: item(document)["properties"].extend(deepcopy(list(fields)))


def dropped(name):
    def change(document):
        item(document)["properties"] = [it for it in item(document)["properties"] if it["name"] != name]
        lines = [
            {
                **line,
                **{
                    part: [it for it in line[part] if it != name]
                    for part in ("fields", "masked")
                    if part in line
                },
            }
            for line in ACCESS
        ]
        if item(document)["name"] == "staff":
            custom(item(document), "access", lines)
            if name == "level":
                custom(item(document), "rules", None)
            if name == "started":
                custom(item(document), "indexes", None)

    return change


def renamed(old, new, **attributes):
    """Rename a field, as a person would: wherever the contract names it."""

    def change(document):
        text = re.sub(
            rf'"{old}"(?!:)|(?<="){old}(?= > 0")', lambda it: it[0].replace(old, new), json.dumps(document)
        )
        document.clear()
        document.update(json.loads(text))
        custom(of(document, new), "renamedFrom", old)
        of(document, new).update(attributes)

    return change


@dataclass(frozen=True)
class Kind:
    change: object
    kind: str
    of: str = "staff"
    refused: str = ""  #: why it is refused in any case
    renamed: dict = field(default_factory=dict)  #: columns by their new names
    others: frozenset = frozenset()  #: columns whose values become others, or whose text does


def states(*values):
    return [{"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": list(values)}}]


KINDS = {
    "nothing": Kind(lambda _: None, "additive"),
    "a description": Kind(said(note={"description": "Another."}), "additive"),
    "a description gone": Kind(said(note={"description": None}), "additive"),
    "an optional field added": Kind(added(column("phone", "string")), "additive"),
    "a required field added": Kind(
        added(column("phone", "string", required=True)), "breaking", refused="break not null of phone"
    ),
    "a restricted field added": Kind(added(column("pin", "string", classification="restricted")), "exposure"),
    "a sealed field added": Kind(
        added(
            column(
                "secret",
                "string",
                customProperties=[
                    {"property": "daftari.protection", "value": {"sealed": True, "lookup": True}}
                ],
            )
        ),
        "exposure",
    ),
    "a closed set added": Kind(added(column("size", "string", quality=states("s", "l"))), "additive"),
    "a field dropped": Kind(dropped("note"), "breaking"),
    "a masked field dropped": Kind(dropped("salary"), "breaking"),
    "a field that a role may read dropped": Kind(dropped("name"), "breaking"),
    "a field with a closed set dropped": Kind(dropped("status"), "breaking"),
    "a field with a rule dropped": Kind(dropped("level"), "breaking"),
    "an indexed field dropped": Kind(dropped("started"), "breaking"),
    "a unique field dropped": Kind(dropped("email"), "breaking"),
    "a reference dropped with its field": Kind(dropped("team"), "breaking"),
    "a wider number": Kind(said(salary={"physicalType": "numeric(12,2)"}), "additive"),
    "a narrower number": Kind(said(salary={"physicalType": "numeric(8,2)"}), "breaking"),
    "a number that rows do not fit": Kind(
        said(salary={"physicalType": "numeric(5,2)"}), "breaking", refused="do not fit a new type"
    ),
    "a number that would lose its decimals": Kind(
        said(salary={"physicalType": "numeric(10,0)"}), "breaking", refused="do not fit a new type"
    ),
    "a longer text": Kind(said(code={"physicalType": "varchar(20)"}), "additive"),
    "a shorter text": Kind(said(code={"physicalType": "varchar(2)"}), "breaking"),
    "a text that rows do not fit": Kind(
        said(code={"physicalType": "varchar(1)"}), "breaking", refused="do not fit a new type"
    ),
    "a text of any length": Kind(said(code={"physicalType": None}), "additive"),
    "a text that becomes a number": Kind(said(note={"logicalType": "integer"}), "breaking"),
    "a text that rows cannot read as a number": Kind(
        said(code={"logicalType": "integer", "physicalType": None}),
        "breaking",
        refused="do not fit a new type",
    ),
    "a number that becomes a text": Kind(said(litres={"logicalType": "string"}), "breaking", "readings"),
    "a date that becomes a moment": Kind(
        said(started={"logicalType": "timestamp"}), "breaking", others=frozenset({"started"})
    ),
    "a moment that becomes a date": Kind(
        said(read_at={"logicalType": "date"}),
        "breaking",
        "readings",
        refused="expected changes that PostgreSQL",
    ),
    "required": Kind(said(salary={"required": True}), "breaking"),
    "required where rows have no value": Kind(
        said(started={"required": True}), "breaking", refused="break not null of started"
    ),
    "no longer required": Kind(said(status={"required": False}), "breaking"),
    "unique": Kind(said(name={"unique": True}), "breaking"),
    "unique where rows repeat": Kind(said(team={"unique": True}), "breaking", refused="break staff_team_key"),
    "no longer unique": Kind(said(email={"unique": False}), "additive"),
    "unique in any case": Kind(
        lambda document: custom(of(document, "email"), "caseInsensitive", True), "breaking"
    ),
    "a higher bound": Kind(said(name={"logicalTypeOptions": {"maxLength": 60}}), "additive"),
    "a lower bound": Kind(said(name={"logicalTypeOptions": {"maxLength": 20}}), "breaking"),
    "a bound that rows break": Kind(
        said(name={"logicalTypeOptions": {"maxLength": 5}}), "breaking", refused="break staff_name"
    ),
    "a bound gone": Kind(said(salary={"logicalTypeOptions": {}}), "additive"),
    "a pattern": Kind(said(code={"logicalTypeOptions": {"pattern": "[A-Z][0-9]"}}), "breaking"),
    "a value more in a closed set": Kind(
        said(status={"quality": states("asked", "seen", "hired", "left")}), "additive"
    ),
    "a value less in a closed set": Kind(said(status={"quality": states("asked", "hired")}), "breaking"),
    "a value less that rows hold": Kind(
        said(status={"quality": states("asked", "left")}), "breaking", refused="do not fit a new type"
    ),
    "another order of a closed set": Kind(
        said(status={"quality": states("left", "hired", "asked")}), "additive"
    ),
    "a closed set gone": Kind(said(status={"quality": None}), "additive"),
    "a closed set on an existing field": Kind(said(note={"quality": states("7", "8", "9")}), "breaking"),
    "a rule": Kind(
        dataset("rules", [{"id": "paid", "expression": "salary > 1", "message": "is not paid"}]), "breaking"
    ),
    "a rule changed": Kind(
        dataset("rules", [{"id": "level_positive", "expression": "level > 0 and level < 9", "message": "m"}]),
        "breaking",
    ),
    "a rule that rows break": Kind(
        dataset("rules", [{"id": "paid", "expression": "salary > 800", "message": "m"}]),
        "breaking",
        refused="break staff_paid",
    ),
    "a rule gone": Kind(dataset("rules", None), "additive"),
    "a message of a rule": Kind(
        dataset("rules", [{"id": "level_positive", "expression": "level > 0", "message": "other"}]),
        "additive",
    ),
    "an index": Kind(dataset("indexes", [["started"], ["level", "team"]]), "additive"),
    "an index gone": Kind(dataset("indexes", None), "additive"),
    "a reference": Kind(
        said(note={"relationships": [{"type": "foreignKey", "to": "teams.team"}]}),
        "breaking",
        refused="break staff_note_fkey",
    ),
    "a reference gone": Kind(said(team={"relationships": None}), "additive"),
    "another key": Kind(
        lambda document: (
            of(document, "staff_id").pop("primaryKey"),
            of(document, "email").update(primaryKey=True, required=True),
        ),
        "breaking",
    ),
    "a key of two fields": Kind(said(team={"primaryKey": True}), "breaking"),
    "a higher classification": Kind(said(level={"classification": "restricted"}), "additive"),
    "a lower classification": Kind(said(name={"classification": "public"}), "exposure"),
    "a field masked": Kind(
        access(ACCESS[0], {**ACCESS[1], "masked": ["salary", "code", "name"]}, ACCESS[2]), "breaking"
    ),
    "a field masked where none was": Kind(
        access({**ACCESS[0], "operations": ["read"], "masked": ["salary"]}, *ACCESS[1:]), "breaking"
    ),
    "a field no longer masked": Kind(access(ACCESS[0], {**ACCESS[1], "masked": []}, ACCESS[2]), "exposure"),
    "another mask": Kind(
        lambda document: custom(of(document, "code"), "protection", {"mask": "last3"}), "exposure"
    ),
    "a role more": Kind(
        access(*ACCESS, {"role": "kinds_audit", "operations": ["read"], "rows": "all"}), "exposure"
    ),
    "a role less": Kind(access(*ACCESS[:2]), "breaking"),
    "a role with a mask less": Kind(access(ACCESS[0], ACCESS[2]), "breaking"),
    "every role less": Kind(dataset("access", None), "breaking"),
    "an operation more": Kind(
        access(ACCESS[0], {**ACCESS[1], "operations": ["read", "delete"]}, ACCESS[2]), "exposure"
    ),
    "an operation less": Kind(
        access({**ACCESS[0], "operations": ["read", "insert"]}, *ACCESS[1:]), "breaking"
    ),
    "a field more for a role": Kind(
        access(*ACCESS[:2], {**ACCESS[2], "fields": ["staff_id", "name", "team", "level"]}), "exposure"
    ),
    "a field less for a role": Kind(
        access(*ACCESS[:2], {**ACCESS[2], "fields": ["staff_id", "name"]}), "breaking"
    ),
    "more rows for a role": Kind(access(*ACCESS[:2], {**ACCESS[2], "rows": "all"}), "exposure"),
    "fewer rows for a role": Kind(
        access({**ACCESS[0], "operations": ["read"], "rows": "own"}, *ACCESS[1:]), "breaking"
    ),
    "rows by another condition": Kind(access({**ACCESS[0], "rows": "level > 1"}, *ACCESS[1:]), "breaking"),
    "an approval": Kind(
        dataset(
            "approval",
            {
                "field": "status",
                "begins": "asked",
                "steps": [{"from": "asked", "to": "hired", "roles": ["kinds_hr"]}],
            },
        ),
        "breaking",
    ),
    "a shorter retention": Kind(dataset("retention", "1y"), "breaking"),
    "a longer retention": Kind(dataset("retention", "7y"), "additive"),
    "another conflict": Kind(dataset("conflict", "reject"), "breaking"),
    "a field sealed": Kind(
        lambda document: custom(of(document, "note"), "protection", {"sealed": True}),
        "breaking",
        refused="cannot be sealed or unsealed in place",
    ),
    "no partitions": Kind(
        dataset("partition", None), "breaking", "readings", refused="expected changes that PostgreSQL"
    ),
    "shorter partitions": Kind(
        dataset("partition", {"field": "read_at", "every": "month", "ahead": 1, "start": "2026-07"}),
        "breaking",
        "readings",
        refused="expected changes that PostgreSQL",
    ),
    "partitions of a table that had none": Kind(
        lambda document: (
            custom(item(document), "partition", {"field": "started", "every": "month"}),
            of(document, "started").update(required=True),
            of(document, "email").update(unique=False),
        ),
        "breaking",
        refused="expected changes that PostgreSQL",
    ),
    "more partitions": Kind(
        dataset("partition", {"field": "read_at", "every": "quarter", "ahead": 3, "start": "2026-01"}),
        "additive",
        "readings",
    ),
    "a field of a partitioned table dropped": Kind(dropped("litres"), "breaking", "readings"),
    "a field of a partitioned table added": Kind(added(column("note", "string")), "additive", "readings"),
}
KINDS |= {
    f"{old} renamed": Kind(renamed(old, new), "breaking", dataset, renamed={new: old})
    for dataset, old, new in (
        ("staff", "note", "remark"),
        ("staff", "salary", "pay"),
        ("staff", "status", "state"),
        ("staff", "started", "began"),
        ("staff", "email", "mail"),
        ("staff", "level", "grade"),
        ("staff", "team", "squad"),
        ("staff", "staff_id", "person_id"),
        ("staff", "name", "full_name"),
        ("staff", "code", "tag"),
        ("readings", "reading", "number"),
        ("readings", "read_at", "taken_at"),
        ("readings", "litres", "volume"),
    )
}
KINDS |= {
    "a field renamed and made wider": Kind(
        renamed("salary", "pay", physicalType="numeric(14,2)"), "breaking", renamed={"pay": "salary"}
    ),
    "a field renamed and made required where rows have no value": Kind(
        renamed("started", "began", required=True), "breaking", refused="break not null of began"
    ),
}
BASE = {"teams": TEAMS, "staff": STAFF, "readings": READINGS}


def read(documents):
    return [read_contract(json.dumps(it), source=f"{name}.odcs.yaml") for name, it in documents.items()]


def fill(conn, folder):
    apply_contracts(conn, read(BASE), migrations_dir=folder, now=NOW)
    conn.execute(ROWS)


@dataclass
class Loaded:
    conn: object
    folder: object

    def plan(self, contracts):
        return plan_contracts(self.conn, contracts, migrations_dir=self.folder, now=NOW)

    def apply(self, contracts, **options):
        return apply_contracts(self.conn, contracts, migrations_dir=self.folder, now=NOW, **options)

    def rows(self):
        """Every row of every table, in the order in which the rows came."""
        found = {}
        for name in ("teams", "staff", "readings"):
            cursor = self.conn.execute(f"select to_jsonb(t) from ops.{name} t", prepare=False)
            found[name] = sorted((row for (row,) in cursor), key=lambda row: row["_run_id"])
        return found

    def files(self):
        return sorted(it.name for it in self.folder.rglob("*.py"))

    def drifts(self, contracts):
        return verify_database(self.conn, contracts, migrations_dir=self.folder, now=NOW).drifts


@pytest.fixture
def loaded(filled, tmp_path):
    with filled(fill, tmp_path) as (conn, _):
        yield Loaded(conn, tmp_path)


def worst(kinds):
    return max((str(it) for it in kinds), key=CLASSES.index, default="additive")


def kept(before, after, kind):
    """The rows of *before* with the columns that *after* has as well, under their new names."""
    names = {old: new for new, old in kind.renamed.items()}
    shown = {}
    for table, rows in before.items():
        columns = set(after[table][0]) - kind.others - {"updated_at"}
        shown[table] = [
            {names.get(it, it): row[it] for it in row if names.get(it, it) in columns} for row in rows
        ]
    return shown


def text(rows, but=frozenset()):
    """Compare numbers and texts alike: a type may have become another that holds the same."""
    return {
        table: [
            {name: str(value) for name, value in row.items() if name not in but and name != "updated_at"}
            for row in found
        ]
        for table, found in rows.items()
    }


@pytest.mark.parametrize("name", KINDS)
def test_a_change_has_one_class_and_rows_keep_their_values(loaded, name):
    kind = KINDS[name]
    documents = deepcopy(BASE)
    kind.change(documents[kind.of])
    old, new = read(BASE), read(documents)
    before, files = loaded.rows(), loaded.files()

    diff = [it for one, other in zip(old, new, strict=True) for it in compare(one, other)]
    planned = loaded.plan(new)
    assert worst(it.kind for it in diff) == kind.kind
    assert worst(it.kind for it in planned.changes) == kind.kind
    taken = [
        it
        for it in planned.changes
        if any(" revoke " in f" {s}" or "drop policy" in s for s in it.statements)
    ]
    assert [it for it in taken if it.kind == "additive"] == []

    if kind.kind == "breaking":
        with pytest.raises(BreakingChange):
            loaded.apply(new)
        assert (loaded.rows(), loaded.files()) == (before, files)
    if kind.refused:
        with pytest.raises((BreakingChange, DatabaseError), match=kind.refused):
            loaded.apply(new, allow_breaking=True)
        assert (loaded.rows(), loaded.files()) == (before, files)
        assert loaded.drifts(old) == ()
        return
    loaded.apply(new, allow_breaking=kind.kind == "breaking")
    after = loaded.rows()
    same = kept(before, after, kind)
    assert text(same) == {
        table: [{name: value for name, value in row.items() if name in same[table][0]} for row in rows]
        for table, rows in text(after, kind.others).items()
    }
    assert loaded.plan(new).is_empty
    assert loaded.drifts(new) == ()


@pytest.mark.parametrize("name", ["readings", "staff"])
def test_a_dataset_is_retired_and_its_rows_stay(loaded, name):
    documents = {it: document for it, document in BASE.items() if it != name}
    before = loaded.rows()
    planned = loaded.plan(read(documents))
    assert "additive" not in {str(it.kind) for it in planned.changes}
    loaded.apply(read(documents), allow_breaking=True)
    assert loaded.rows() == before
    assert loaded.plan(read(documents)).is_empty


def test_a_field_that_others_refer_to_is_renamed_with_their_contracts(loaded):
    documents = deepcopy(BASE)
    renamed("team", "squad")(documents["teams"])
    of(documents["staff"], "team")["relationships"] = [{"type": "foreignKey", "to": "teams.squad"}]
    before = loaded.rows()
    loaded.apply(read(documents), allow_breaking=True)
    after = loaded.rows()
    assert [row["squad"] for row in after["teams"]] == [row["team"] for row in before["teams"]]
    assert after["staff"] == before["staff"]
    assert loaded.plan(read(documents)).is_empty
    assert loaded.drifts(read(documents)) == ()


def test_a_new_dataset_is_additive(loaded):
    new = read({**BASE, "pets": contract_document(name="pets")})
    assert {str(it.kind) for it in loaded.plan(new).changes} == {"additive"}
    loaded.apply(new)
    assert loaded.plan(new).is_empty
