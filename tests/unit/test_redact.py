import json

from tests.small_contracts import TRIPS, with_field

from daftari import log
from daftari.contract.model import Access, Classification, Operation, RowScope
from daftari.protect.redact import redacting

PEOPLE = with_field(TRIPS, "purpose", classification=Classification.RESTRICTED)


def test_what_stands_under_the_name_of_a_protected_field_is_not_written_however_deep(capsys):
    log.configure_logging(style="json", redact=redacting([PEOPLE]))
    log.get(rows=3).info("refused", purpose="a visit", team="blue", row={"purpose": "a visit", "team": "blue"},
                         all=[{"purpose": "a visit"}, ("a", {"purpose": None})])  # fmt: skip
    line = json.loads(capsys.readouterr().err)
    assert {name: line[name] for name in ("rows", "purpose", "team", "row", "all", "event")} == {
        "event": "refused",
        "rows": 3,
        "purpose": "***",
        "team": "blue",
        "row": {"purpose": "***", "team": "blue"},
        "all": [{"purpose": "***"}, ["a", {"purpose": None}]],
    }


def test_a_field_that_one_role_sees_masked_is_protected_for_all_who_read_logs():
    from dataclasses import replace

    line = Access(role="auditor", operations=(Operation.READ,), rows=RowScope.ALL, masked=("team",))
    redact = redacting([replace(TRIPS, access=(line,))])
    assert redact(None, "info", {"event": "x", "team": "blue"}) == {"event": "x", "team": "***"}
