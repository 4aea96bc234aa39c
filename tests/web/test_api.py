"""The JSON interface: ends what it is told to, and says no in RFC 9457 documents."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask import abort
from flask.testing import FlaskClient
from werkzeug.exceptions import TooManyRequests
from werkzeug.test import TestResponse

import consentkit
from consentkit.errors import LogUnavailableError
from consentkit.store.ledger import Ledger
from consentkit.testing import answer
from consentkit.web.problems import PROBLEM_STATUS
from consentkit.web.problems import problem
from tests.web.hosts import CHROME
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import body_of
from tests.web.hosts import host

PAGE = Path(__file__).resolve().parents[2] / "docs" / "problems.md"
API = "/consent/api/v1/revocations"
TYPE = "https://consentkit.dev/problems/"


def told(sent: TestResponse, code: str) -> Mapping[str, Any]:
    """The problem document, checked for what every one of them has."""
    assert sent.content_type == "application/problem+json"
    body: dict[str, Any] = sent.get_json()
    assert body["type"] == TYPE + code
    assert body["status"] == sent.status_code == PROBLEM_STATUS[code]
    assert body["title"]
    assert sent.headers["Cache-Control"] == "no-store"
    assert MAYA not in sent.text
    return body


@pytest.fixture
def sharing(shop: Host) -> Host:
    """Maya shares with three."""
    client = shop.client(MAYA)
    answer(client, "credit-score", {"acme-credit": "given"})
    answer(client, "shop-offers", {"corner-shops": "given", "controller": "given"})
    return shop


@pytest.mark.requirement("R54")
@pytest.mark.parametrize(
    ("body", "left"),
    [
        ({"purpose": "shop-offers", "recipient": "corner-shops"}, 2),
        ({"recipient": "corner-shops"}, 2),
        ({"purpose": "shop-offers"}, 1),
        ({}, 0),
    ],
)
def test_what_the_body_names_is_ended_and_nothing_else(
    sharing: Host, body: dict[str, str], left: int
) -> None:
    sent = sharing.client(MAYA).post(API, json=body)

    assert sent.status_code == 200
    assert len(body_of(sent)["ended"]) == 3 - left
    assert len(sharing.grants()) == left
    receipt = body_of(sent)["receipt_id"]
    assert sharing.client(MAYA).get(f"/consent/receipts/{receipt}").status_code == 200


@pytest.mark.requirement("R61")
def test_ending_it_again_is_fine_and_writes_nothing(sharing: Host) -> None:
    client = sharing.client(MAYA)
    client.post(API, json={})
    acts = sharing.acts()

    again = client.post(API, json={})

    assert again.status_code == 200
    assert again.json == {"ended": [], "receipt_id": None}
    assert sharing.acts() == acts


BAD: dict[str, tuple[bytes, str]] = {
    "no body": (b"", "invalid-request"),
    "no JSON": (b"purpose=credit-score", "invalid-request"),
    "half of it": (b'{"purpose": "credit', "invalid-request"),
    "null": (b"null", "invalid-request"),
    "a list": (b'["credit-score"]', "invalid-request"),
    "text": (b'"credit-score"', "invalid-request"),
    "not UTF-8": (b'{"purpose": "\xff"}', "invalid-request"),
    "an unknown field": (b'{"purposes": "credit-score"}', "invalid-request"),
    "a field too many": (
        b'{"purpose": "credit-score", "subject": "tom"}',
        "invalid-request",
    ),
    "a purpose that is null": (b'{"purpose": null}', "invalid-request"),
    "a recipient that is null": (
        b'{"purpose": "credit-score", "recipient": null}',
        "invalid-request",
    ),
    "a purpose that is a number": (b'{"purpose": 1}', "invalid-request"),
    "a purpose that is a list": (b'{"purpose": ["credit-score"]}', "invalid-request"),
    "a purpose that is empty": (b'{"purpose": ""}', "invalid-request"),
    "a wildcard": (b'{"purpose": "*"}', "invalid-request"),
    "capitals": (b'{"purpose": "Credit-Score"}', "invalid-request"),
    "a line more": (b'{"purpose": "credit-score\\n"}', "invalid-request"),
    "a nul": (b'{"purpose": "credit\\u0000score"}', "invalid-request"),
    "overlong": (b'{"purpose": "' + b"a" * 65 + b'"}', "invalid-request"),
    "deep": (b"[" * 100_000, "too-large"),
    "too large": (b'{"purpose": "' + b"a" * 70_000 + b'"}', "too-large"),
    "a purpose that never was": (b'{"purpose": "credit-scor"}', "unknown-purpose"),
    "a recipient that never was": (b'{"recipient": "acme"}', "unknown-recipient"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_body_that_cannot_be_meant_ends_nothing(name: str, sharing: Host) -> None:
    body, code = BAD[name]

    sent = sharing.client(MAYA).post(API, data=body, content_type="application/json")

    told(sent, code)
    assert len(sharing.grants()) == 3


def test_which_fields_were_wrong_is_told_and_not_what_stood_in_them(
    sharing: Host,
) -> None:
    body = {"purpose": "<b>Maya</b>", "x": MAYA}

    sent = sharing.client(MAYA).post(API, json=body)

    assert told(sent, "invalid-request")["fields"] == ["purpose", "x"]
    assert "<b>" not in sent.text


def test_a_deep_body_of_allowed_size_is_refused_like_any_other(sharing: Host) -> None:
    body = b'{"purpose":' * 5_000 + b"1" + b"}" * 5_000

    sent = sharing.client(MAYA).post(API, data=body, content_type="application/json")

    told(sent, "invalid-request")


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"],
)
@pytest.mark.requirement("R115")
def test_what_a_form_of_another_site_could_send_is_not_read(
    sharing: Host, content_type: str
) -> None:
    """Only ``application/json`` needs a preflight, which nobody answers."""
    sent = sharing.client(MAYA).post(API, data=b"{}", content_type=content_type)

    told(sent, "unsupported-media-type")
    assert len(sharing.grants()) == 3


def test_a_body_without_a_length_is_limited_as_it_is_read(sharing: Host) -> None:
    client = sharing.client(MAYA)
    body = b'{"purpose": "' + b"a" * 70_000 + b'"}'

    sent = client.post(
        API,
        input_stream=io.BytesIO(body),
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
        headers={"Transfer-Encoding": "chunked"},
    )

    assert sent.status_code in {413, 422}  # Werkzeug cuts it off without a word
    assert len(sharing.grants()) == 3


@pytest.mark.requirement("R116")
def test_nobody_ends_anything_while_nobody_is_signed_in(sharing: Host) -> None:
    told(sharing.client().post(API, json={}), "sign-in")
    assert len(sharing.grants()) == 3


def test_the_database_being_down_is_told_with_when_to_try_again(
    sharing: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(_ledger: Ledger, **_how: bool) -> None:
        raise LogUnavailableError("the consent database did not answer: /secret/path")

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "write", down)
        sent = sharing.client(MAYA).post(API, json={})

    told(sent, "unavailable")
    assert sent.headers["Retry-After"] == "1"
    assert "secret" not in sent.text


@pytest.fixture(
    scope="module",
    params=["plain", "with error pages", "with a page for everything"],
)
def in_a_host(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> FlaskClient:
    """Hosts that have pages of their own for what goes wrong."""

    def pages(app: Flask) -> None:
        for code in (404, 405, 413, 415, 422, 500):
            app.register_error_handler(code, lambda _error: ("the host's page", 418))

    def everything(app: Flask) -> None:
        app.register_error_handler(Exception, lambda _error: ("the host's page", 418))
        app.add_url_rule("/<path:path>", "any", lambda path: f"page {path}")

    before = {"with error pages": pages, "with a page for everything": everything}
    folder = tmp_path_factory.mktemp("host")
    return host(folder, before=before.get(request.param)).client(MAYA)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "path", ["", "/", "/v1", "/v1/", "/v1/nothing", "/v2/revocations", "/v1/%00/.."]
)
def test_an_address_that_is_not_there_is_a_problem_document(
    path: str, method: str, in_a_host: FlaskClient
) -> None:
    told(in_a_host.open(f"/consent/api{path}", method=method, json={}), "not-found")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE"])
def test_a_method_that_is_not_taken_is_a_problem_document(
    method: str, in_a_host: FlaskClient
) -> None:
    sent = in_a_host.open(API, method=method)

    told(sent, "method-not-allowed")
    assert sent.headers["Allow"] == "OPTIONS, POST"


def test_head_and_options_answer_without_a_body(in_a_host: FlaskClient) -> None:
    head = in_a_host.head(API)
    assert (head.status_code, head.data) == (405, b"")
    assert head.content_type == "application/problem+json"

    options = in_a_host.options(API)
    assert (options.status_code, options.data) == (204, b"")
    assert options.headers["Allow"] == "OPTIONS, POST"


def test_no_other_site_is_let_in(in_a_host: FlaskClient) -> None:
    preflight = {
        "Origin": "https://elsewhere.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }

    sent = in_a_host.options(API, headers=preflight)

    assert "Access-Control" not in str(sent.headers)


def test_pages_that_are_not_there_are_the_hosts_own(tmp_path: Path) -> None:
    def pages(app: Flask) -> None:
        app.register_error_handler(404, lambda _error: ("the host's page", 404))

    client = host(tmp_path, before=pages).client(MAYA)

    assert client.get("/no-such-page").text == "the host's page"
    assert client.get("/consent/no-such-page").text == "the host's page"
    assert "There is nothing at this address" in client.get("/consent/ask/none").text


def test_what_the_hosts_own_guards_raise_keeps_its_status_and_headers(
    tmp_path: Path,
) -> None:
    """A rate limiter that stops a request before our code, for instance."""

    def limit(app: Flask) -> None:
        def guard() -> None:
            raise TooManyRequests(retry_after=30)

        app.before_request_funcs.setdefault("consentkit", []).append(guard)

    sent = host(tmp_path, after=limit).client(MAYA).post(API, json={})

    assert sent.status_code == 429
    assert sent.content_type == "application/problem+json"
    assert sent.json == {
        "type": "about:blank",
        "title": "Too Many Requests",
        "status": 429,
    }
    assert sent.headers["Retry-After"] == "30"


def test_a_fault_of_ours_is_told_as_one_and_without_its_details(
    tmp_path: Path,
) -> None:
    shop = host(tmp_path, PROPAGATE_EXCEPTIONS=False)
    shop.consent.subject_loader(lambda: abort(500))

    told(shop.client().post(API, json={}), "internal-error")

    shop.consent.subject_loader(lambda: 1 // 0)
    sent = shop.client().post(API, json={})
    told(sent, "internal-error")
    assert "zero" not in sent.text


def test_a_member_of_a_problem_can_be_added_and_none_is_lost(shop: Host) -> None:
    with shop.app.test_request_context("/", headers={"Accept": CHROME}):
        sent = problem("invalid-request", "what was wrong", fields=["a"])

    assert sent.get_json() == {
        "type": TYPE + "invalid-request",
        "title": "The request cannot be read",
        "status": 422,
        "detail": "what was wrong",
        "fields": ["a"],
    }


# Raised by calls that only an official or a shell makes: no route leads there.
_OFFICIALS = frozenset(
    {
        *("erasure-reason", "hold-over", "last-key", "naive-time", "no-evidence"),
        *("clock-ahead", "official", "purge-in-future", "purge-too-early"),
        *("selection", "widens"),
        *("unknown-act", "unknown-delivery", "unknown-key", "unknown-notice"),
        *("unknown-question", "closed-otherwise", "followed", "left-out", "successor"),
        *("claim", "delegation", "consent-replaced", "batch", "not-in-batch"),
        *("legal-release", "not-closed", "dropped"),
    }
)


def test_every_code_that_is_raised_has_a_status() -> None:
    package = Path(consentkit.__file__).parent
    codes = {
        keyword.value.value
        for room in ("core", "service", "store", "web")
        for path in (package / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "InvalidRequestError"
        for keyword in node.keywords
        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
    }

    assert len(codes) > 5
    assert codes - _OFFICIALS <= set(PROBLEM_STATUS)
    assert codes >= _OFFICIALS
    assert not _OFFICIALS & set(PROBLEM_STATUS)


@pytest.mark.requirement("R73")
def test_the_documented_problems_are_the_problems_there_are() -> None:
    page = PAGE.read_text("utf-8")
    rows = re.findall(
        r"^\| `([a-z-]+)` \| (\d{3}) \| (.+) \| (.+) \|$", page, re.MULTILINE
    )

    assert {code: int(status) for code, status, *_ in rows} == PROBLEM_STATUS
    assert [code for code, *_ in rows] == sorted(PROBLEM_STATUS)
    assert TYPE in page
