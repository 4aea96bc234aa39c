"""Whoever watches is told what happened, never to whom, and can break nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from consentkit import ConsentDeniedError
from consentkit import ConsentKit
from consentkit.service.observing import Event
from consentkit.service.publishing import publish_or_stop
from consentkit.testing import answer
from consentkit.web.signals import SIGNALS
from consentkit.web.signals import decided
from consentkit.web.signals import shared
from tests import legal
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host
from tests.web.hosts import host

Told = list[tuple[Event, dict[str, Any]]]
BY = {"by": "dpo@wallet.example", "reason": "order 17/2026"}


@pytest.fixture
def shop(tmp_path: Path) -> Host:
    return host(tmp_path, registry=legal.registry())


@pytest.fixture
def told(shop: Host) -> Iterator[Told]:
    """Everything that the app tells, in order."""
    found: Told = []
    receivers = []
    for event, signal in SIGNALS.items():

        def receive(_app: Flask, *, _event: Event = event, **facts: Any) -> None:
            found.append((_event, facts))

        receivers.append((signal, receive))
        signal.connect(receive, sender=shop.app)
    yield found
    for signal, receive in receivers:
        signal.disconnect(receive)


def live_a_day(shop: Host) -> None:
    """One of everything that can be told but a delivery."""
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    with shop.app.app_context():
        consent = shop.consent
        consent.check(MAYA, "credit-score", recipient="acme-credit", data={"spending"})
        with consent.share(
            MAYA, "credit-score", recipient="acme-credit", data={"spending"}, amount=3
        ):
            pass
        with pytest.raises(ConsentDeniedError):
            refused(consent, TOM, "credit-score", "acme-credit")
        with pytest.raises(ConsentDeniedError):
            refused(consent, TOM, "maya-at-example-org", "maya-at-example-org")
        with consent.release_without_consent(
            TOM,
            legal.ORDERS,
            recipient=legal.COURT,
            data={"spending"},
            basis="legal-obligation",
            evidence=b"an order about tom@example.org",
            **BY,
        ):
            pass
        consent.suspend("credit-score", **BY)
        consent.resume("credit-score", **BY)
        consent.revoke(MAYA)
        consent.erase(TOM, reason="request")
        publish_or_stop(shop.state.installation)


def refused(consent: ConsentKit, who: str, purpose: str, recipient: str) -> None:
    with consent.share(who, purpose, recipient=recipient):
        raise AssertionError("it was shared")


def test_everything_that_happens_is_told_in_its_order(shop: Host, told: Told) -> None:
    live_a_day(shop)
    assert [event.value for event, _ in told] == [
        "answered",
        "decided",
        *("shared", "decided"),
        *("denied", "decided"),
        *("denied", "decided"),
        "released-without-consent",
        *("switched", "switched"),
        "ended",
        "erased",
        "published",
    ]
    facts = dict(reversed(told))
    key = {"purpose": "credit-score", "recipient": "acme-credit"}
    spending = {"data": ("spending",)}
    assert facts[Event.ANSWERED] == {
        **key,
        **spending,
        "state": "given",
        "assurance": "session",
        "channel": "web",
    }
    assert facts[Event.SHARED] == {
        **key,
        **spending,
        "amount": 3,
        "channel": "server",
        "count": 1,
        "withheld": 0,
    }
    seconds = facts[Event.DECIDED].pop("seconds")
    assert 0 < seconds < 10
    assert facts[Event.DECIDED] == {
        **key,
        **spending,
        "kind": "check",
        "reason": "granted",
    }
    released = facts[Event.RELEASED_WITHOUT_CONSENT]
    assert (released["basis"], released["recipient"]) == (
        "legal-obligation",
        "leeds-court",
    )
    assert facts[Event.SWITCHED] == {
        "action": "suspend",
        "purpose": "credit-score",
        "recipient": "",
    }
    assert facts[Event.ENDED]["state"] == "withdrawn"
    assert facts[Event.PUBLISHED]["count"] == facts[Event.PUBLISHED]["size"]
    assert facts[Event.PUBLISHED]["seconds"] >= 0


@pytest.mark.requirement("R73")
def test_nothing_about_a_person_is_told_nor_what_was_never_declared(
    shop: Host, told: Told
) -> None:
    live_a_day(shop)
    handles = {each for (each,) in shop.sql("SELECT handle FROM consent_leaf") if each}
    ids = {each for (each,) in shop.sql("SELECT id FROM consent_leaf")}
    words = repr(told)
    for person in (MAYA, TOM, "dpo@wallet.example", "maya-at", *handles, *ids):
        assert person not in words
    unknown = [facts for event, facts in told if facts.get("purpose") == "unknown"]
    assert [each["recipient"] for each in unknown] == ["unknown", "unknown"]
    assert {each["reason"] for each in unknown} == {"purpose_unknown"}


def test_what_was_rolled_back_is_not_told(shop: Host, told: Told) -> None:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    shop.sql(
        "CREATE TRIGGER broken BEFORE INSERT ON consent_disclosure "
        "BEGIN SELECT RAISE(ABORT, ''); END"
    )
    del told[:]
    with shop.app.app_context(), pytest.raises(ConsentDeniedError):
        refused(shop.consent, MAYA, "credit-score", "acme-credit")
    ((event, facts),) = told
    assert (event, facts["reason"]) == (Event.DECIDED, "store_unavailable")
    shop.sql("DROP TRIGGER broken")


def test_a_receiver_that_fails_changes_no_decision_and_silences_no_other(
    shop: Host, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_app: Flask, **_facts: Any) -> None:
        raise OSError("the collector is down")

    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    with decided.connected_to(fail), shared.connected_to(fail):
        assert shop.allows(MAYA)
        with (
            shop.app.app_context(),
            shop.consent.share(
                MAYA, "credit-score", recipient="acme-credit", data={"spending"}
            ) as release,
        ):
            assert release.data == {"spending"}
    assert [event for event, _ in told][1:] == [
        Event.DECIDED,
        Event.SHARED,
        Event.DECIDED,
    ]
    logged = [each.message for each in caplog.records]
    assert logged == [
        "consentkit: a receiver of 'decided' failed",
        "consentkit: a receiver of 'shared' failed",
        "consentkit: a receiver of 'decided' failed",
    ]
    assert all(each.levelno == logging.ERROR for each in caplog.records)


def test_one_app_is_not_told_of_another(told: Told, tmp_path: Path) -> None:
    other = host(tmp_path / "other")
    assert not other.allows(MAYA)
    assert told == []
