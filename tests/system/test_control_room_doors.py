"""Who comes into the control room, and what another site's page can do with somebody's browser: nothing."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from daftari.api.app import application
from daftari.io.access.callers import make_service
from daftari.io.access.tokens import TokenGrant
from daftari.io.workspace.files import read_workspace
from daftari.operations.access.issue_token import issue_token
from daftari.settings import read_settings
from daftari.web import routes

pytestmark = pytest.mark.system


@pytest.fixture
def door(governed, monkeypatch):
    """A client of the application, and a token of finance."""
    conn, root = governed
    make_service(conn)
    where = f"host={conn.info.host}&port={conn.info.port}"
    monkeypatch.setenv("DAFTARI_DATABASE_URL", f"postgresql://{conn.info.user}@/{conn.info.dbname}?{where}")
    datasets = [it.dataset for it in read_workspace(root).contracts]
    grant = TokenGrant(name="door", role="finance")
    token = issue_token(conn, datasets, grant, now=datetime.now(UTC), days=1)
    with TestClient(
        application(read_settings(root), extensions=[routes.add_control_room]),
        follow_redirects=False,
        raise_server_exceptions=False,
    ) as client:
        yield client, token


def sign_in(client, token, **more):
    return client.post("/sign-in", data={"token": token}, **more)


def form_of(client):
    """What a form of ours bears."""
    return client.get("/").text.split('name="_csrf" value="')[1].split('"')[0]


def test_who_is_not_known_is_sent_to_the_door_and_back(door):
    client, token = door
    answer = client.get("/records/expenses?status=paid")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/sign-in?next={quote('/records/expenses?status=paid')}",
    )
    back = sign_in(client, token, params={"next": "/records/expenses?status=paid"})
    assert (back.status_code, back.headers["location"]) == (303, "/records/expenses?status=paid")


@pytest.mark.parametrize(
    "elsewhere", ["https://example.org", "//example.org", "/\\example.org", "javascript:x"]
)
def test_the_door_leads_to_no_other_site(door, elsewhere):
    client, token = door
    assert sign_in(client, token, params={"next": elsewhere}).headers["location"] == "/"


def test_a_token_that_is_nobodys_opens_nothing_and_is_not_shown_again(door):
    client, _ = door
    answer = sign_in(client, "dft_Wanjiku")
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert "Wanjiku" not in answer.text


def test_the_cookie_is_for_no_script_and_no_other_site(door):
    client, token = door
    said = sign_in(client, token).headers["set-cookie"].lower()
    assert {"httponly", "samesite=lax", "path=/"} <= {part.strip() for part in said.split(";")}
    assert token.lower() not in said


def test_over_https_the_cookie_is_this_hosts_alone_and_browsers_stay_with_https(door):
    client, token = door
    client.base_url = "https://testserver"
    answer = sign_in(client, token)
    said = answer.headers["set-cookie"]
    assert said.startswith("__Host-daftari_session=")
    assert {"Secure", "Path=/"} <= {part.strip() for part in said.split(";")}
    assert "Domain" not in said
    assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/sign-out", {}),
        ("/reports/build", {}),
        ("/quarantine/expenses", {"c.1.amount": "1"}),
        ("/load/expenses/AAAAAAAAAAAAAAAAAAAAAAAA", {}),
    ],
)
def test_a_form_that_is_not_ours_does_nothing(door, path, more):
    client, token = door
    sign_in(client, token)
    csrf = form_of(client)
    for form, headers in (
        (more, {}),
        ({**more, "_csrf": "0" * 64}, {}),
        ({**more, "_csrf": csrf}, {"Sec-Fetch-Site": "cross-site"}),
    ):
        answer = client.post(path, data=form, headers=headers)
        assert (answer.status_code, "nothing was done" in answer.text) == (403, True)
    assert client.get("/").status_code == 200


def test_a_file_that_another_site_sends_is_not_taken(door):
    client, token = door
    sign_in(client, token)
    answer = client.post("/load/expenses/file?name=a.csv", content=b"x")
    assert answer.status_code == 403


def test_who_signs_out_is_out_on_the_server_too(door):
    client, token = door
    sign_in(client, token)
    cookie = client.cookies["daftari_session"]
    assert client.post("/sign-out", data={"_csrf": form_of(client)}).status_code == 303
    client.cookies.set("daftari_session", cookie)
    assert client.get("/").status_code == 303


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/load/expenses/../../etc/passwd", 404),  # no address of ours
        ("/load/expenses/AAAAAAAAAAAAAAAAAAAAAAAA", 403),
        ("/load/expenses/%2e%2e%2f%2e%2e", 404),
    ],
)
def test_a_file_that_does_not_wait_is_nobodys(door, path, status):
    client, token = door
    sign_in(client, token)
    assert client.get(path).status_code == status


def test_every_page_forbids_scripts_frames_and_files_from_elsewhere(door):
    client, token = door
    sign_in(client, token)
    for path in ("/", "/records/expenses", "/no/such/page", "/sign-in"):
        policy = client.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy


@pytest.mark.parametrize(
    "path", ["/load/salaries", "/datasets/nothing", "/quarantine/users", "/audit", "/runs/1x"]
)
def test_what_is_not_for_a_role_and_what_is_not_there_are_refused_on_a_page(door, path):
    client, token = door
    sign_in(client, token)
    answer = client.get(path)
    assert answer.status_code == 403
    assert "Traceback" not in answer.text


def test_a_value_of_a_row_is_text_on_every_page(door):
    client, token = door
    sign_in(client, token)
    answer = client.get("/records/expenses", params={"supplier": "<script>alert(1)</script>"})
    assert answer.status_code == 200
    assert ("&lt;script&gt;alert" in answer.text, "<script>alert" in answer.text) == (True, False)
