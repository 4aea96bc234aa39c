"""A developer's HTTP clients, which do not go past the gate."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from typing import Any

import pytest
from flask import Response
from flask import jsonify

from consentkit import ConsentKit
from consentkit import UngatedSendError
from consentkit.errors import ConfigurationError
from consentkit.errors import ConsentDeniedError
from consentkit.errors import DeclarationError
from consentkit.testing import answer
from tests import declared
from tests.recipient_server import RecipientServer
from tests.recipient_server import serve_recipient
from tests.service.guarded import led_to
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import bare_app
from tests.web.hosts import host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

YES = {"acme-credit": "given"}
GATE: dict[str, Any] = {"recipient": declared.CREDIT, "data": {"spending"}}


@pytest.fixture
def scorer() -> Iterator[RecipientServer]:
    with serve_recipient() as server:
        yield server


@pytest.fixture
def shop(tmp_path: Path, scorer: RecipientServer) -> Iterator[Host]:
    """A wallet whose scorer can be reached; Maya agreed."""
    shop = host(tmp_path, registry=led_to(scorer.url), CONSENTKIT_RELEASE_LIFETIME=9)
    answer(shop.client(MAYA), "credit-score", YES)
    with shop.app.app_context():
        yield shop


@pytest.mark.requirement("R67", "R68")
def test_a_session_and_a_pool_reach_the_recipient_inside_a_share_only(
    shop: Host, scorer: RecipientServer
) -> None:
    session, pool = shop.consent.guarded_session(), shop.consent.guarded_pool()

    with pytest.raises(UngatedSendError):
        session.post(scorer.url, json={"amount": 1})
    with pytest.raises(UngatedSendError):
        pool.request("POST", scorer.url, json={"amount": 1})
    with shop.consent.share(MAYA, declared.SCORE, **GATE, sends=2):
        assert session.post(scorer.url, json={"amount": 1}).status_code == 204
        assert pool.request("POST", scorer.url, json={"amount": 2}).status == 204
        with pytest.raises(UngatedSendError, match="2 requests and is used up"):
            pool.request("POST", scorer.url, json={"amount": 3})

    assert [each.body for each in scorer.got] == [b'{"amount": 1}', b'{"amount":2}']


@pytest.mark.requirement("R68")
def test_what_is_revoked_inside_the_block_is_not_sent(
    shop: Host, scorer: RecipientServer
) -> None:
    session = shop.consent.guarded_session()

    with shop.consent.share(MAYA, declared.SCORE, **GATE):
        shop.consent.revoke(MAYA)
        with pytest.raises(ConsentDeniedError, match="withdrawn"):
            session.post(scorer.url, json={"amount": 1})

    assert scorer.got == []


@pytest.mark.requirement("R67")
def test_a_gated_view_may_send_and_another_may_not(
    tmp_path: Path, scorer: RecipientServer
) -> None:
    app = bare_app(tmp_path)
    consent = ConsentKit(led_to(scorer.url), app)
    consent.subject_loader(lambda: MAYA)
    session = consent.guarded_session()

    @app.post("/ungated")
    def ungated() -> Response:
        return jsonify(session.post(scorer.url, json={}).status_code)

    @app.post("/gated")
    @consent.require(declared.SCORE, recipient=declared.CREDIT, data={"spending"})
    def gated() -> Response:
        return jsonify(session.post(scorer.url, json={}).status_code)

    client = app.test_client()
    answer(client, "credit-score", YES)

    with pytest.raises(UngatedSendError):
        client.post("/ungated")
    assert scorer.got == []
    assert client.post("/gated").get_json() == 204
    assert len(scorer.got) == 1


def test_the_lifetime_is_the_configured_one(shop: Host) -> None:
    with shop.consent.share(MAYA, declared.SCORE, **GATE) as release:
        release._until -= 10
        with pytest.raises(UngatedSendError, match="lives for 9 seconds"):
            release.spend()


@pytest.mark.parametrize("sends", [0, -1, 1.5, "2"])
def test_a_number_of_sends_that_is_none_is_refused_where_it_is_written(
    shop: Host, sends: int
) -> None:
    with (
        pytest.raises(DeclarationError, match="sends must be"),
        shop.consent.share(MAYA, declared.SCORE, **GATE, sends=sends),
    ):
        raise AssertionError("never runs")
    with pytest.raises(DeclarationError, match="sends must be"):
        shop.consent.require(declared.SCORE, **GATE, sends=sends)


def test_without_requests_a_session_says_which_extra_it_needs(
    shop: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(
        sys.modules, "consentkit.service.guarded_requests", raising=False
    )
    monkeypatch.setitem(sys.modules, "requests", None)

    with pytest.raises(ConfigurationError, match=r"consentkit\[requests\]"):
        shop.consent.guarded_session()
