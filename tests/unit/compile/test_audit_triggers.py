from datetime import UTC, datetime

import pytest
from tests.small_contracts import NOTES, READINGS, TEAMS, TRIPS

from daftari.compile.tables import tables
from daftari.compile.tables.objects import ObjectKind

EVENTS = {"audit_insert", "audit_update", "audit_delete", "audit_truncate"}


@pytest.mark.parametrize("dataset", [TEAMS, TRIPS, READINGS, NOTES])
def test_every_table_and_every_partition_is_audited_always(dataset):
    known = [TEAMS, READINGS, dataset]
    made = tables.table_objects(
        {it.name: it for it in known}.values(), now=datetime(2026, 11, 23, tzinfo=UTC)
    ).values()
    audits = [it for it in made if it.identity.kind is ObjectKind.TRIGGER and it.name.startswith("audit_")]
    assert all(it.always for it in audits)
    by_table: dict[str, set[str]] = {}
    for trigger in audits:
        by_table.setdefault(trigger.table, set()).add(trigger.name)
    partitions = {
        it.name for it in made if it.identity.kind is ObjectKind.PARTITION and it.table == dataset.name
    }
    # of a statement that truncates the table, its partitions tell
    own = EVENTS - {"audit_truncate"} if partitions else EVENTS
    assert by_table[dataset.name] == own
    assert {name: by_table[name] for name in partitions} == dict.fromkeys(partitions, EVENTS)
