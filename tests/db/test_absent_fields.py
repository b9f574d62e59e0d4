"""What a sender does not speak of stays as it is, whatever way the rows come."""

from decimal import Decimal

import pytest
from tests.clinic import NOW, counted
from tests.sealed_clinic import HEADER as SEALED_HEADER
from tests.sealed_clinic import clinic_in, opened
from tests.sealed_clinic import fill as fill_sealed
from tests.served_clinic import opened as served
from tests.served_clinic import visit

from daftari.contract.access.caller import Caller, RequestContext
from daftari.errors import MappingError
from daftari.operations.load.load_path import LoadRequest, load_path
from daftari.operations.quarantine.replay_quarantine import replay_quarantine
from daftari.rows.mapping.mapping import Mapping

WHOLE = ["V1,2026-03-01,A,Wanjiku,100.00,asthma", "V2,2026-03-02,B,Otieno,200.50,"]
NARROW = "visit_id,seen_on,ward,fee"


def narrow(clinic, *rows, header=NARROW, name="narrow.csv", **said):
    return clinic.load_path(clinic.file(*rows, header=header, name=name), **said)


def test_a_narrower_file_leaves_the_other_fields_as_they_are(clinic):
    clinic.load(*WHOLE)

    loaded = narrow(clinic, "V1,2026-03-01,A,150", "V2,2026-03-02,B,200.5", "V3,2026-03-03,C,1")

    assert counted(loaded) == {"received": 3, "inserted": 1, "updated": 1, "unchanged": 1}
    assert clinic.rows("visit_id", "patient", "fee", "notes") == [
        ("V1", "Wanjiku", Decimal("150.00"), "asthma"),
        ("V2", "Otieno", Decimal("200.50"), None),
        ("V3", None, Decimal("1.00"), None),
    ]


def test_an_empty_cell_of_a_column_that_is_there_empties_the_field(clinic):
    clinic.load(*WHOLE)
    assert counted(clinic.load("V1,2026-03-01,A,,100,")) == {"received": 1, "updated": 1}
    assert clinic.rows("patient", "notes")[0] == (None, None)


@pytest.mark.parametrize(
    ("mapping", "kept"),
    [
        ({"absent": "clear"}, (None, None)),
        ({"fields": {"notes": {"absent": "clear"}}}, ("Wanjiku", None)),
        ({"absent": "clear", "fields": {"notes": {"absent": "keep"}}}, (None, "asthma")),
        ({"fields": {"notes": {"default": "none"}}}, ("Wanjiku", "none")),
        ({"fields": {"notes": {"constant": "none"}}}, ("Wanjiku", "none")),
    ],
)
def test_a_mapping_says_what_the_lack_of_a_column_means(clinic, mapping, kept):
    clinic.load(*WHOLE)
    narrow(clinic, "V1,2026-03-01,A,150", mapping=Mapping.model_validate({"dataset": "visits", **mapping}))
    assert clinic.rows("patient", "notes")[0] == kept


@pytest.mark.parametrize(
    ("conflict", "fee", "found"),
    [
        ("keep", "100", {"received": 1, "unchanged": 1}),
        ("keep", "150", {"received": 1, "superseded": 1}),
        ("reject", "100", {"received": 1, "unchanged": 1}),
        ("reject", "150", {"received": 1, "quarantined": 1}),
    ],
)
def test_a_narrower_file_is_compared_by_the_fields_that_it_has(new_clinic, conflict, fee, found):
    with new_clinic(conflict=conflict) as clinic:
        clinic.load(*WHOLE)
        assert counted(narrow(clinic, f"V1,2026-03-01,A,{fee}")) == found
        assert clinic.rows("patient", "notes")[0] == ("Wanjiku", "asthma")


RULES = [{"id": "dear", "expression": "fee < 500 or notes is not null", "message": "is dear without a note"}]


def test_a_rule_is_judged_with_the_values_that_stay(new_clinic):
    with new_clinic(rules=RULES) as clinic:
        clinic.load(*WHOLE)

        loaded = narrow(clinic, "V1,2026-03-01,A,600", "V2,2026-03-02,B,600", "V3,2026-03-03,C,600")

        assert counted(loaded) == {"received": 3, "updated": 1, "quarantined": 2}
        assert [(one.rule, one.reason, one.rows) for one in loaded.reasons] == [
            ("dear", "is dear without a note", 2)
        ]
        assert clinic.rows("visit_id", "fee", "notes") == [
            ("V1", Decimal("600.00"), "asthma"),
            ("V2", Decimal("200.50"), None),
        ]


def test_a_replayed_row_of_a_narrower_file_leaves_the_others_too(clinic):
    clinic.load(*WHOLE)
    loaded = narrow(clinic, "V1,2026-03-01,D,150")
    assert counted(loaded) == {"received": 1, "quarantined": 1}
    clinic.conn.execute("insert into ops.wards (ward, _run_id) values ('D', 0)")

    (replayed,) = replay_quarantine(clinic.conn, clinic.workspace, "visits", now=NOW)

    assert counted(replayed) == {"received": 1, "updated": 1}
    assert clinic.rows("ward", "patient", "notes")[0] == ("D", "Wanjiku", "asthma")


# --- sealed fields, and the person of a row


@pytest.fixture
def sealed(filled, tmp_path, monkeypatch):
    with filled(fill_sealed, tmp_path) as (conn, url):
        monkeypatch.setenv("DAFTARI_DATABASE_URL", url)
        yield clinic_in(conn, url, tmp_path)


SEALED_ROW = "V1,2026-03-01,A,P1,+254712345678,12.5,asthma"


@pytest.mark.parametrize(
    ("header", "row", "found", "kept"),
    [
        (
            "visit_id,seen_on,ward,patient,phone",
            "V1,2026-03-02,A,P1,+254712345678",
            {"received": 1, "updated": 1},
            ("V1", "P1", "+254712345678", "12.50", "asthma"),
        ),
        (
            "visit_id,seen_on,ward,patient,phone,notes",
            "V1,2026-03-01,A,P1,+254 712 345 678,",
            {"received": 1, "updated": 1},
            ("V1", "P1", "+254 712 345 678", "12.50", None),
        ),
        (  # the values that stay are sealed for P1
            "visit_id,seen_on,ward,patient,phone",
            "V1,2026-03-01,A,P2,+254712345678",
            {"received": 1, "quarantined": 1},
            ("V1", "P1", "+254712345678", "12.50", "asthma"),
        ),
    ],
)
def test_sealed_fields_stay_and_can_be_opened(sealed, header, row, found, kept):
    sealed.load_path(sealed.file(SEALED_ROW, header=SEALED_HEADER))
    assert counted(sealed.load_path(sealed.file(row, header=header, name="narrow.csv"))) == found
    assert opened(sealed) == [kept]


def test_a_file_with_sealed_values_must_say_whose_they_are(sealed):
    path = sealed.file("V1,2026-03-01,A,+254712345678", header="visit_id,seen_on,ward,phone")
    with pytest.raises(
        MappingError, match="no column for patient; phone of the file cannot be sealed without it"
    ):
        sealed.load_path(path)


# --- callers


@pytest.fixture
def house(filled, tmp_path, monkeypatch):
    with served(filled, tmp_path) as house:
        monkeypatch.setenv("DAFTARI_DATABASE_URL", house.clinic.url)
        yield house


def test_a_caller_who_uploads_a_narrower_file_leaves_the_other_fields(house):
    house.post(visit(1, notes="asthma"), visit(2))
    context = RequestContext(caller=Caller(name="test matron", role="matron"), request_id="r1")
    path = house.clinic.file(
        "V1,2026-03-01,A,150", "V2,2026-03-01,A,12.5", "V3,2026-03-01,A,1", header=NARROW
    )
    request = LoadRequest(dataset="visits", path=path, sender=(context, house.roles))

    loaded = load_path(house.conn, house.clinic.workspace, request, now=NOW)

    assert counted(loaded) == {"received": 3, "inserted": 1, "updated": 1, "unchanged": 1}
    assert house.clinic.rows("patient", "fee", "notes") == [
        ("Wanjiku", Decimal("150.00"), "asthma"),
        ("Wanjiku", Decimal("12.50"), None),
        (None, Decimal("1.00"), None),
    ]


def without(number, *names, **other):
    return {name: value for name, value in visit(number, **other).items() if name not in names}


@pytest.mark.parametrize(
    ("is_new", "kept"),
    [(True, ("Wanjiku", Decimal("20.00"), "asthma")), (False, (None, Decimal("20.00"), None))],
)
def test_a_posted_record_leaves_what_it_lacks_and_a_put_one_is_whole(house, is_new, kept):
    house.post(visit(1, notes="asthma"))
    assert house.post(without(1, "patient", fee=20), is_new=is_new) == ["updated"]
    assert house.clinic.rows("patient", "fee", "notes") == [kept]


def test_records_of_one_request_may_lack_different_fields(house):
    house.post(visit(1, notes="asthma"), visit(2, notes="cough"))

    sent = [
        without(1, "patient", fee=20),
        without(2, "fee", patient=None),
        visit(3),
        without(1, "fee", notes="flu"),
    ]

    assert house.post(*sent) == ["superseded", "updated", "inserted", "updated"]
    assert house.clinic.rows("patient", "fee", "notes") == [
        ("Wanjiku", Decimal("20.00"), "flu"),
        (None, Decimal("12.50"), "cough"),
        ("Wanjiku", Decimal("12.50"), None),
    ]
