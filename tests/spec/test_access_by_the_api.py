"""Least view by the API: what each caller is answered is what the contracts say, cell by cell."""

import json
import shutil
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from starlette.testclient import TestClient
from tests.spec.world import PEOPLE, ROLES

from daftari.api.app import application
from daftari.io.access.tokens import TokenGrant
from daftari.operations.access.issue_token import issue_token
from daftari.settings import read_settings
from daftari.web import routes


@contextmanager
def calling(world, monkeypatch, root):
    """A client of the real application, and a token for each role."""
    shutil.copytree(world.workspace.root, root, ignore=shutil.ignore_patterns(".daftari", "target", "logs"))
    monkeypatch.setenv("DAFTARI_DATABASE_URL", world.url)
    login = world.conn.info.user
    world.conn.execute("insert into daftari.assignment (login, is_service) values (%s, true)", [login])
    datasets = [it.dataset for it in world.workspace.contracts]
    try:
        tokens = {
            role: issue_token(
                world.conn,
                datasets,
                TokenGrant(name=role, role=role, user_id=PEOPLE.get(role)),
                now=datetime.now(UTC),
                days=1,
            )
            for role in ROLES
            if any(it.role == role for dataset in datasets for it in dataset.access)
        }
        with TestClient(application(read_settings(root), extensions=[routes.add_control_room])) as client:
            yield client, tokens
    finally:
        world.conn.execute("delete from daftari.web_session")
        world.conn.execute("delete from daftari.api_token")
        world.conn.execute("delete from daftari.assignment where login = %s", [login])


def wanted(world, role, dataset):
    """Columns and rows that a role should be answered; sealed values in the clear are for nobody."""
    caller = world.callers[role]
    if world.oracle.has_view(dataset, role):
        names, rows = world.oracle.view(caller, dataset.name, role)
        masked = {name for it in world.oracle.lines(dataset, role) for name in it.masked}
    else:
        names, rows = world.oracle.table(caller, dataset.name)
        masked = set()
    sealed = {it.name for it in dataset.fields if it.protection.sealed} - masked
    at = [index for index, name in enumerate(names) if name not in sealed]
    shown = Counter()
    for row, count in rows.items():
        shown[tuple(_text(row[index]) for index in at)] += count
    return [names[index] for index in at], shown


def _text(value):
    match value:
        case None | bool():
            return json.dumps(value)
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case Decimal() | int():
            return f"{Decimal(value).normalize():f}"
        case _:
            return str(value)


def _told(value, row_type):
    if row_type == "timestamptz" and value is not None:
        return datetime.fromisoformat(value).astimezone(UTC).isoformat()
    return _text(value)


def answered(client, token, dataset, types):
    headers = {"Authorization": f"Bearer {token}", "X-Purpose": "a test"}
    answer = client.get(f"/api/{dataset.name}?format=ndjson", headers=headers)
    if answer.status_code == 403:
        return [], Counter()
    assert answer.status_code == 200, answer.text
    rows = [json.loads(line, parse_float=Decimal) for line in answer.text.splitlines()]
    names = list(rows[0]) if rows else []
    told = (tuple(_told(row[name], types.get(name)) for name in names) for row in rows)
    return names, Counter(told)


def shown_on_pages(client, token, dataset, types):
    """What whoever signs in with *token* finds among the records of the control room."""
    client.cookies.clear()
    assert client.post("/sign-in", data={"token": token}).status_code == 200
    answer = client.get(f"/records/{dataset.name}/export?format=ndjson&purpose=a+test")
    if answer.status_code == 403:
        return [], Counter()
    assert answer.status_code == 200, answer.text
    rows = [json.loads(line, parse_float=Decimal) for line in answer.text.splitlines()]
    names = list(rows[0]) if rows else []
    told = (tuple(_told(row[name], types.get(name)) for name in names) for row in rows)
    return names, Counter(told)


def types_of(world, dataset):
    found = world.conn.execute(
        "select a.attname::text, a.atttypid::regtype::text from pg_attribute a"
        " where a.attrelid = %s::regclass and a.attnum > 0",
        [f"ops.{dataset.name}"],
    ).fetchall()
    instants = {name for name, kind in found if kind == "timestamp with time zone"}
    return dict.fromkeys(instants, "timestamptz")


def everything_wrong(world, client, tokens, asked=answered):
    for role, token in tokens.items():
        for dataset in world.oracle.datasets.values():
            names, rows = asked(client, token, dataset, types_of(world, dataset))
            wanted_names, wanted_rows = wanted(world, role, dataset)
            if rows != wanted_rows or (rows and names != wanted_names):
                yield f"{role} of {dataset.name}: is answered {names} {rows}; should be {wanted_names} {wanted_rows}"


@pytest.fixture
def api(world, monkeypatch, tmp_path):
    with calling(world, monkeypatch, tmp_path / "workspace") as found:
        yield found


def test_every_role_is_answered_by_the_api_what_the_contracts_say_and_nothing_else(world, api):
    assert list(everything_wrong(world, *api)) == []


def test_every_role_finds_on_the_pages_what_the_contracts_say_and_nothing_else(world, api):
    assert list(everything_wrong(world, *api, asked=shown_on_pages)) == []


def test_one_policy_more_shows_on_the_pages(world, api):
    world.conn.execute("create policy more on ops.users for select to employee using (true)")
    try:
        wrong = everything_wrong(world, *api, asked=shown_on_pages)
        assert any(it.startswith("employee of users") for it in wrong)
    finally:
        world.conn.execute("drop policy more on ops.users")


def test_one_policy_more_shows(world, api):
    world.conn.execute("create policy more on ops.users for select to employee using (true)")
    try:
        assert any(it.startswith("employee of users") for it in everything_wrong(world, *api))
    finally:
        world.conn.execute("drop policy more on ops.users")


def test_one_row_is_answered_to_whom_it_is_shown_and_to_nobody_else(world, api):
    client, tokens = api
    dataset = world.oracle.datasets["users"]
    for role, token in tokens.items():
        names, rows = wanted(world, role, dataset)
        at = names.index("user_id") if rows else 0
        shown = {row[at] for row in rows}
        for user_id in {row["user_id"] for row in world.oracle.rows["users"]}:
            headers = {"Authorization": f"Bearer {token}", "X-Purpose": "a test"}
            status = client.get(f"/api/users/{user_id}", headers=headers).status_code
            assert (role, user_id, status == 200) == (role, user_id, user_id in shown)
