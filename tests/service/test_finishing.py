"""A publisher whose log has ended says so, once, and not before it has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consentkit.service.background import stop_threads
from consentkit.service.closing import close_log
from consentkit.service.finishing import Farewell
from consentkit.service.finishing import has_ended
from consentkit.service.opening import open_next
from consentkit.service.publishing import PublisherThread
from consentkit.service.publishing import publish_all
from tests.service.periods import FIRST
from tests.service.periods import OFFICER
from tests.service.periods import SECOND
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def wallet(tmp_path: Path) -> Iterator[Wallet]:
    yield Wallet(tmp_path)
    Wallet.close_all()


def farewells(caplog: pytest.LogCaptureFixture) -> list[str]:
    events = [vars(each) for each in caplog.records]
    return [each["log"] for each in events if each.get("event") == "log-ended"]


def test_a_publisher_says_once_that_its_log_has_ended(
    wallet: Wallet, caplog: pytest.LogCaptureFixture
) -> None:
    farewell = Farewell()
    wallet.answer("alice", CREDIT_SCORE)
    publish_all(wallet.installation)
    farewell(wallet.installation)
    assert farewells(caplog) == []

    open_next(wallet.installation, SECOND, by=OFFICER)
    for _ in range(3):
        farewell(wallet.installation)

    assert farewells(caplog) == [FIRST]
    assert f"publishes {SECOND}" in caplog.text


def test_the_publisher_thread_says_it(
    wallet: Wallet, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    works: dict[str, Callable[[], object]] = {}
    monkeypatch.setattr(
        "consentkit.service.publishing.start_thread",
        lambda name, work, **_: works.update({name: work}),
    )
    PublisherThread(wallet.installation).ensure_running()
    stop_threads()
    publish = works["consentkit-publisher"]
    publish()
    assert farewells(caplog) == []
    open_next(wallet.installation, SECOND, by=OFFICER)
    publish()
    assert farewells(caplog) == [FIRST]


def test_a_log_that_was_closed_and_is_followed_by_none_yet_names_its_successor(
    wallet: Wallet,
) -> None:
    close_log(wallet.installation, successor=SECOND, reason="stolen", by=OFFICER)
    assert has_ended(wallet.installation).endswith(f"publishes {SECOND}")


def test_a_log_of_which_something_waits_has_not_ended(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("consentkit.service.closing.publish_all", lambda _: None)
        close_log(wallet.installation, successor=SECOND, reason="stolen", by=OFFICER)
    assert has_ended(wallet.installation) == ""
    publish_all(wallet.installation)
    assert has_ended(wallet.installation)
