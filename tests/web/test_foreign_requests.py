"""What another site, another form or a mere visit can do: nothing."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_wtf import CSRFProtect  # type: ignore[import-untyped]  # it has no types

from consentkit.errors import InvalidRequestError
from consentkit.testing import answer
from consentkit.web.origin import check_same_site
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host
from tests.web.hosts import body_of
from tests.web.hosts import host

CHOICE = "choice.credit-score.acme-credit"
SEED = 20260122  # any number: each run takes the same walk

FOREIGN: dict[str, dict[str, str]] = {
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "a sister site": {"Sec-Fetch-Site": "same-site"},
    "another site that names our origin": {
        "Sec-Fetch-Site": "cross-site",
        "Origin": "http://localhost",
    },
    "a word that no browser says": {"Sec-Fetch-Site": "same-origin, cross-site"},
    "an empty word": {"Sec-Fetch-Site": ""},
    "another origin": {"Origin": "https://elsewhere.example"},
    "a subdomain": {"Origin": "http://evil.localhost"},
    "a longer name": {"Origin": "http://localhost.evil.example"},
    "another port": {"Origin": "http://localhost:8080"},
    "our name as somebody's sign-in": {"Origin": "http://localhost@evil.example"},
    "a hidden origin": {"Origin": "null"},
    "an empty origin": {"Origin": ""},
    "an origin that cannot be read": {"Origin": "http://[::1"},
    "another scheme": {"Origin": "ftp://localhost"},
    "two origins": {"Origin": "http://localhost https://elsewhere.example"},
}
OUR_OWN: dict[str, dict[str, str]] = {
    "our page": {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
    "an address typed in": {"Sec-Fetch-Site": "none"},
    "an older browser": {"Origin": "http://localhost"},
    "behind a proxy that ends TLS": {"Origin": "https://localhost"},
    "a very old browser": {},
}


def form_of(client: FlaskClient) -> dict[str, str]:
    page = client.get("/consent/ask/credit-score").text
    token = re.findall(r'name="token" value="([^"]+)"', page)[-1]
    return {"token": token, CHOICE: "given"}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.requirement("R115")
def test_another_site_cannot_answer_or_stop_for_a_person(
    name: str, shop: Host, maya: FlaskClient
) -> None:
    """Even with a form that is genuine in every other way."""
    sent = maya.post("/consent/choices", data=form_of(maya), headers=FOREIGN[name])
    assert sent.status_code == 403
    assert "We could not tell where this came from" in sent.text
    assert shop.acts() == 0

    answer(maya, "credit-score", {"acme-credit": "given"})
    stop = {"token": shop.state.tokens.issue_stop(MAYA)}
    sent = maya.post("/consent/revocations", data=stop, headers=FOREIGN[name])
    assert sent.status_code == 403
    sent = maya.post("/consent/api/v1/revocations", json={}, headers=FOREIGN[name])
    assert sent.status_code == 403
    assert body_of(sent)["type"].endswith("/cross-site")
    assert shop.allows(MAYA)


@pytest.mark.parametrize("name", OUR_OWN)
def test_our_own_pages_are_believed(name: str, shop: Host, maya: FlaskClient) -> None:
    sent = maya.post("/consent/choices", data=form_of(maya), headers=OUR_OWN[name])

    assert sent.status_code == 303
    assert shop.allows(MAYA)


@pytest.mark.parametrize(
    ("host_header", "origin"),
    [
        ("Wallet.example:8443", "http://wallet.example:8443"),
        ("wallet.example:443", "https://wallet.example:443"),
        ("[::1]:5000", "http://[::1]:5000"),
        ("wallet.example:80", "http://wallet.example"),
    ],
)
def test_the_origin_is_compared_with_port_and_in_any_case(
    shop: Host, host_header: str, origin: str
) -> None:
    headers = {"Host": host_header, "Origin": origin}
    with shop.app.test_request_context(headers=headers):
        check_same_site()
    with (
        shop.app.test_request_context(headers={**headers, "Origin": f"{origin}1"}),
        pytest.raises(InvalidRequestError, match="another site"),
    ):
        check_same_site()


@pytest.mark.requirement("R61", "R115")
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/consent/choices", "/consent/revocations"])
def test_nothing_changes_but_by_post(
    path: str, method: str, shop: Host, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", {"acme-credit": "given"})
    form = {**form_of(maya), CHOICE: "refused"}
    before = shop.acts()

    assert maya.open(path, method=method, query_string=form).status_code == 405
    assert maya.open(path, method=method, data=form).status_code == 405
    assert shop.acts() == before
    assert shop.allows(MAYA)


def test_answers_in_the_address_are_not_read(shop: Host, maya: FlaskClient) -> None:
    form = form_of(maya)

    assert maya.post("/consent/choices", query_string=form).status_code == 403
    assert maya.post("/consent/choices", json=form).status_code == 403
    assert shop.acts() == 0


@pytest.mark.requirement("R15", "R23", "R61")
def test_a_walk_over_every_address_grants_nothing(shop: Host) -> None:
    """Each rule, each method, signed in or not, with whatever is lying about.

    The token on the way is genuine: without an answer beside it, it says no yes.
    """
    chance = random.Random(SEED)  # noqa: S311  a walk, no secret
    client = shop.client(MAYA)
    answer(shop.client(TOM), "credit-score", {"acme-credit": "refused"})
    fill = ["credit-score", "shop-offers", "ab" * 32, "x", "consentkit.css", "..", "1"]
    words = ["given", "on", "credit-score", "1", "yes", form_of(client)["token"], ""]
    names = ["token", "state", "consent", "choice", "data", "purpose", "recipient"]
    visited = 0
    for rule in shop.app.url_map.iter_rules():
        for method in sorted(rule.methods or ()):
            for _ in range(6):
                values = {name: chance.choice(fill) for name in rule.arguments}
                values |= {"_file": "gpc.json"} if "_file" in values else {}
                built = rule.build(values, append_unknown=False)
                assert built
                form = {chance.choice(names): chance.choice(words) for _ in range(4)}
                who = chance.choice([client, shop.client()])
                sent: dict[str, Any] = {
                    chance.choice(["data", "json", "query_string"]): form
                }
                who.open(built[1], method=method, **sent).close()
                visited += 1

    assert visited > 100
    assert shop.grants() == []
    assert not shop.allows(MAYA)


@pytest.mark.requirement("R22", "R23")
def test_a_form_of_the_host_that_carries_an_answer_grants_nothing(
    shop: Host, maya: FlaskClient
) -> None:
    """The story's box stood in the form of a spending report."""
    form = {**form_of(maya), "report": "2018"}

    assert maya.post("/feature", data=form).text == "done"
    maya.post("/score", data=form)

    assert shop.grants() == []


ORDERS = ["the host's protection first", "consentkit first"]


@pytest.fixture(params=ORDERS)
def guarded(request: pytest.FixtureRequest, tmp_path: Path) -> Host:
    """A host whose every form needs a token of Flask-WTF's."""

    def protect(app: Flask) -> None:
        CSRFProtect(app)

    if request.param == ORDERS[0]:
        return host(tmp_path, before=protect)
    return host(tmp_path, after=protect)


def test_the_hosts_form_protection_takes_our_forms(guarded: Host) -> None:
    maya = guarded.client(MAYA)
    assert maya.post("/feature").status_code == 400

    page = maya.get("/").text
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', page))
    assert set(fields) == {"token", "csrf_token"}
    sent = maya.post("/consent/choices", data={**fields, CHOICE: "given"})

    assert sent.status_code == 303
    assert guarded.allows(MAYA)


def test_the_hosts_form_protection_takes_our_stop_buttons(guarded: Host) -> None:
    maya = guarded.client(MAYA)
    assert answer(maya, "credit-score", {"acme-credit": "given"}).status_code == 200
    page = maya.get("/consent/").text
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', page))

    assert maya.post("/consent/revocations", data=fields).status_code == 303
    assert not guarded.allows(MAYA)


def test_the_hosts_form_protection_still_guards_our_forms(guarded: Host) -> None:
    maya = guarded.client(MAYA)

    assert maya.post("/consent/choices", data=form_of(maya)).status_code == 400
    assert guarded.acts() == 0


def test_the_hosts_form_protection_stays_off_the_json_interface(guarded: Host) -> None:
    maya = guarded.client(MAYA)
    answer(maya, "credit-score", {"acme-credit": "given"})

    sent = maya.post("/consent/api/v1/revocations", json={})
    assert sent.status_code == 200
    assert not guarded.allows(MAYA)
    assert maya.post("/consent/api/v1/nothing", json={}).status_code == 404
