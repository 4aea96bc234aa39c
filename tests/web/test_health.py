"""Alive and ready, as a load balancer asks: truthful, and silent about people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from consentkit.core.act import Millis
from consentkit.service.administering import Official
from consentkit.service.health import examine
from consentkit.service.opening import PERIOD_OVER
from consentkit.service.opening import open_next
from consentkit.testing import answer
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import body_of
from tests.web.hosts import host


@pytest.fixture
def shop(tmp_path: Path) -> Host:
    return host(tmp_path)


def ask(shop: Host, which: str) -> TestResponse:
    sent = shop.client().get(f"/consent/health/{which}")
    assert sent.mimetype == "application/health+json"
    assert sent.headers["Cache-Control"] == "no-store"
    return sent


def test_a_process_that_can_decide_is_ready(shop: Host) -> None:
    sent = ask(shop, "ready")
    assert sent.status_code == 200
    assert body_of(sent) == {
        "status": "pass",
        "checks": {
            "store": [{"status": "pass"}],
            "log": [{"status": "pass"}],
            "publication": [{"status": "pass"}],
        },
    }
    assert body_of(ask(shop, "live")) == {"status": "pass"}


def test_without_its_database_a_process_is_alive_and_not_ready(
    shop: Host, caplog: pytest.LogCaptureFixture
) -> None:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    database = shop.state.installation.database.file
    assert database is not None
    shop.state.installation.close()
    kept = database.rename(database.with_suffix(".away"))
    sent = ask(shop, "ready")
    assert sent.status_code == 503
    assert body_of(sent)["checks"]["store"] == [{"status": "fail"}]
    assert ask(shop, "live").status_code == 200
    assert MAYA not in caplog.text

    kept.rename(database)
    assert ask(shop, "ready").status_code == 200


def test_a_process_whose_log_was_closed_is_alive_and_not_ready(
    shop: Host, tmp_path: Path
) -> None:
    successor = "wallet.example/consent/2027"
    by = Official("dpo@wallet.example", PERIOD_OVER)
    assert open_next(shop.state.installation, successor, by=by).keys

    sent = ask(shop, "ready")

    assert sent.status_code == 503
    assert body_of(sent)["status"] == "fail"
    assert body_of(sent)["checks"]["log"] == [{"status": "fail"}]
    assert body_of(sent)["checks"]["store"] == [{"status": "pass"}]
    assert ask(shop, "live").status_code == 200
    assert ask(host(tmp_path), "ready").status_code == 200


def test_a_late_publication_is_told_and_sends_nobody_away(
    shop: Host, caplog: pytest.LogCaptureFixture
) -> None:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    installation = shop.state.installation
    acted = installation.publications.waiting_since()
    assert acted is not None

    for seconds, late, said in ((59, "pass", False), (61, "warn", False)):
        assert _after(shop, acted, seconds) == late
        assert ("is a publisher running?" in caplog.text) is said
    assert _after(shop, acted, 601) == "warn"
    assert "is a publisher running?" in caplog.text

    shop.publish()
    assert installation.publications.waiting_since() is None
    assert _after(shop, acted, 601) == "pass"


def _after(shop: Host, since: int, seconds: int) -> str:
    """How the publication is, so many seconds after that moment."""
    then = Millis(since + seconds * 1000)
    return examine(
        replace(shop.state.installation, clock=lambda: then)
    ).publication.value
