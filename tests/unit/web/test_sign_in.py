"""Sessions, forms and where a browser is sent: what holds without a database."""

import asyncio
from datetime import timedelta

import pytest
from starlette.responses import Response

from daftari.errors import AccessRefused
from daftari.web.page_request import cookie_name, csrf_of
from daftari.web.routes import form_of, require_own_form
from daftari.web.sign_in import is_from_here, keep_cookie, own_address, signed_in


@pytest.mark.parametrize(
    ("wanted", "page"),
    [
        ("/", "/"),
        ("/records/expenses?status=paid", "/records/expenses?status=paid"),
        ("", "/"),
        ("records", "/"),
        ("//example.org/x", "/"),
        ("/\\example.org", "/"),
        ("https://example.org", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\nSet-Cookie: x", "/"),
    ],
)
def test_signing_in_leads_to_a_page_of_ours_and_of_nobody_else(request_of, wanted, page):
    assert own_address(wanted) == page
    answer = signed_in(request_of(), "s", timedelta(hours=1), to=wanted)
    assert (answer.status_code, answer.headers["location"]) == (303, page)


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        ("http", "daftari_session=s1; HttpOnly; Max-Age=5400; Path=/; SameSite=lax"),
        ("https", "__Host-daftari_session=s1; HttpOnly; Max-Age=5400; Path=/; SameSite=lax; Secure"),
    ],
)
def test_a_session_is_kept_where_no_script_and_no_other_site_reads_it(request_of, scheme, expected):
    asked, answer = request_of(scheme=scheme), Response()
    keep_cookie(asked, answer, (cookie_name(asked), "s1"), timedelta(minutes=90))
    assert answer.headers["set-cookie"] == expected


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({}, True),  # a program, or a browser of long ago
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
    ],
)
def test_a_request_is_ours_unless_its_browser_says_otherwise(request_of, headers, is_ours):
    asked = request_of(headers=headers)
    assert is_from_here(asked) is is_ours
    if is_ours:
        require_own_form(asked, "mark", "mark")
    else:
        with pytest.raises(AccessRefused):
            require_own_form(asked, "mark", "mark")


@pytest.mark.parametrize("given", ["", "mar", "marks", "märk"])
def test_a_form_without_the_mark_of_its_session_is_refused(request_of, given):
    with pytest.raises(AccessRefused):
        require_own_form(request_of(), given, "mark")


def test_the_mark_of_a_form_is_its_sessions_alone_and_does_not_tell_it():
    # HMAC-SHA-256 of "daftari form" under the session, by `openssl dgst -sha256 -hmac s1`
    assert csrf_of("s1") == "292729149974ebbc13a242a26effe5f283f1029d9e2e66de3572cfbe768c5c30"
    assert csrf_of("s2") != csrf_of("s1")


FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


@pytest.mark.parametrize(
    ("method", "headers", "body", "expected"),
    [
        ("POST", FORM, b"a=1&b=&a=2", {"a": "2", "b": ""}),
        ("POST", FORM, b"a=%C3%A9+x", {"a": "é x"}),
        ("POST", FORM, b"", {}),
        ("GET", FORM, b"a=1", {}),
        ("POST", {"content-type": "text/plain"}, b"a=1", {}),
        ("POST", {}, b"a=1", {}),
    ],
)
def test_the_fields_of_a_form_are_read(request_of, method, headers, body, expected):
    assert asyncio.run(form_of(request_of(method=method, headers=headers, body=body))) == expected


def test_a_form_is_no_larger_than_one_of_ours(request_of):
    def read(size):
        body = b"a=" + b"x" * (size - 2)
        return asyncio.run(form_of(request_of(method="POST", headers=FORM, body=body)))

    assert len(read(2**20)["a"]) == 2**20 - 2
    with pytest.raises(AccessRefused):
        read(2**20 + 1)
