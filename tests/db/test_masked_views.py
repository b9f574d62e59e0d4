"""The views through which a role sees some values masked, or other fields in some rows than in others."""

from contextlib import contextmanager
from dataclasses import replace

import pytest
from psycopg import sql
from tests.conftest import NOW
from tests.small_contracts import contract

from daftari.contract.model import Access, Condition, Dataset, Field, LogicalType, Mask, Operation, Protection
from daftari.errors import ContractError
from daftari.operations.schema.apply_contracts import apply_contracts
from daftari.operations.schema.verify_database import verify_database

SPEND = Dataset(
    name="spend",
    fields=(
        Field(name="spend", logical_type=LogicalType.STRING, key_position=1, required=True),
        Field(name="amount", logical_type=LogicalType.NUMBER, physical_type="numeric(10,2)"),
        Field(
            name="paid_to",
            logical_type=LogicalType.STRING,
            protection=Protection(mask=Mask.INITIAL),
        ),
        Field(name="secret", logical_type=LogicalType.STRING),
    ),
    access=(
        Access(
            role="test_clerk",
            operations=(Operation.READ,),
            rows=Condition("amount < 100"),
            masked=("paid_to",),
        ),
        # of large sums: who was paid, in the clear, but not what for
        Access(
            role="test_chief",
            operations=(Operation.READ,),
            rows=Condition("amount >= 100"),
            fields=("spend", "paid_to"),
        ),
        Access(
            role="test_chief",
            operations=(Operation.READ,),
            rows=Condition("amount < 100"),
            masked=("paid_to",),
        ),
    ),
)
LISTEN = (
    "create function pg_temp.listen(x text) returns boolean language plpgsql cost 0.0001 "
    "as $$ begin raise notice '%', x; return true; end $$"
)


def fill(conn, folder):
    apply_contracts(conn, [contract(SPEND)], migrations_dir=folder, now=NOW)
    conn.execute("""
        insert into ops.spend (spend, amount, paid_to, secret, _run_id) values
            ('small', 10, 'Mama Njeri', 'tea', 1), ('large', 500, 'Lake Bus', 'bus', 1)
    """)


@pytest.fixture
def spend(filled, tmp_path):
    with filled(fill, tmp_path) as (conn, _):
        yield conn


@contextmanager
def acting_as(db, role):
    with db.transaction(force_rollback=True):
        db.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        yield db


def test_a_condition_of_the_contract_holds_rows_back(spend):
    with acting_as(spend, "test_clerk"):
        assert spend.execute("select spend, paid_to, secret from views.spend_test_clerk").fetchall() == [
            ("small", "M. N.", "tea")
        ]
        assert spend.execute("select spend, amount::text from ops.spend").fetchall() == [("small", "10.00")]


def test_lines_that_show_other_fields_in_other_rows_are_kept_apart_cell_by_cell(spend):
    with acting_as(spend, "test_chief"):
        seen = spend.execute(
            "select spend, amount::text, paid_to, secret from views.spend_test_chief order by spend"
        )
        assert seen.fetchall() == [("large", None, "Lake Bus", None), ("small", "10.00", "M. N.", "tea")]
        # of the table, what is in the clear in all rows
        assert spend.execute("select spend from ops.spend order by 1").fetchall() == [("large",), ("small",)]
    for column in ("amount", "paid_to", "secret"):
        with acting_as(spend, "test_chief"), pytest.raises(Exception, match="permission denied"):
            spend.execute(f"select {column} from ops.spend")


@pytest.mark.parametrize(("is_barrier", "heard"), [("true", {"small"}), ("false", {"small", "large"})])
def test_a_readers_own_function_meets_what_the_view_shows_and_no_more_as_it_is_a_barrier(
    spend, is_barrier, heard
):
    spend.execute(f"alter view views.spend_test_clerk set (security_barrier = {is_barrier})")
    found = set()
    spend.add_notice_handler(lambda diagnostic: found.add(diagnostic.message_primary))
    with acting_as(spend, "test_clerk"):
        spend.execute(LISTEN)
        spend.execute("select from views.spend_test_clerk where pg_temp.listen(spend::text)")
    assert found == heard


@pytest.mark.parametrize(
    "change",
    [
        "alter view views.spend_test_clerk set (security_barrier = false)",
        "alter view views.spend_test_clerk set (security_invoker = true)",
        (
            "create or replace view views.spend_test_clerk with (security_barrier = true) as "
            "select spend, amount, paid_to, secret, created_at, updated_at, _run_id from ops.spend"
        ),
        "drop view views.spend_test_clerk",
        "alter view views.spend_test_clerk owner to daftari_owner",
        "revoke select on views.spend_test_clerk from test_clerk",
        "create view views.by_hand as select * from ops.spend",
    ],
)
def test_a_view_changed_by_hand_is_named_and_brought_back(spend, tmp_path, change):
    spend.execute(change)
    drifts = verify_database(spend, [contract(SPEND)], migrations_dir=tmp_path, now=NOW).drifts
    assert {it.kind for it in drifts} <= {"view", "owner", "grant"}
    assert drifts
    apply_contracts(spend, [contract(SPEND)], migrations_dir=tmp_path, now=NOW)
    assert verify_database(spend, [contract(SPEND)], migrations_dir=tmp_path, now=NOW).drifts == ()
    with acting_as(spend, "test_clerk"):
        assert spend.execute("select paid_to from views.spend_test_clerk").fetchall() == [("M. N.",)]


def test_a_column_that_a_policy_and_a_view_name_can_change_its_type(spend, tmp_path):
    fields = tuple(
        replace(it, physical_type="numeric(12,2)") if it.name == "amount" else it for it in SPEND.fields
    )
    wider = contract(replace(SPEND, fields=fields))
    apply_contracts(spend, [wider], migrations_dir=tmp_path, now=NOW)
    assert verify_database(spend, [wider], migrations_dir=tmp_path, now=NOW).drifts == ()


def test_other_fields_to_write_in_some_rows_than_in_others_are_refused(db, tmp_path):
    lines = (
        Access(
            role="test_chief",
            operations=(Operation.UPDATE,),
            rows=Condition("amount >= 100"),
            fields=("paid_to",),
        ),
        Access(role="test_chief", operations=(Operation.UPDATE,), rows=Condition("amount < 100")),
    )
    with pytest.raises(ContractError, match="test_chief may update different fields in different rows"):
        apply_contracts(db, [contract(replace(SPEND, access=lines))], migrations_dir=tmp_path, now=NOW)
