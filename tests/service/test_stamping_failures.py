"""A time stamp that does not come, or is no good: told of, and the log goes on."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import pytest
from rfc3161_client import HashAlgorithm
from rfc3161_client import TimestampRequestBuilder

from consentkit.audit.timestamps import MAX_REPLY_BYTES
from consentkit.errors import LogUnavailableError
from consentkit.log.note import split_note
from consentkit.service import authorities
from consentkit.service.publishing import publish_all
from tests.service.log_files import say
from tests.service.stamps import HOUR
from tests.service.stamps import gap
from tests.service.stamps import stamp_path
from tests.service.stamps import stamped_sizes
from tests.service.stamps import use
from tests.service.wallet import Wallet
from tests.service.witnessed import pretended
from tests.tsa_process import Tsa
from tests.tsa_process import make_tsa

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HUGE = bytes(MAX_REPLY_BYTES + 1)
REFUSAL = bytes.fromhex("30053003020102")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The three tries of one request follow each other at once."""
    monkeypatch.setattr(authorities, "_RETRY_DELAYS", (0.0, 0.0))


@pytest.fixture
def wallet(wallet: Wallet) -> Wallet:
    """Its clock goes as the authority's does: today."""
    wallet.clock.now = time.time_ns() // 1_000_000
    return wallet


def test_a_folder_that_cannot_be_written_costs_no_stamp(
    wallet: Wallet, tsa: Tsa, address: str
) -> None:
    stamper = use(wallet, address, tsa)
    publish_all(wallet.installation)
    (wallet.logs / "timestamps").write_bytes(b"in the way")
    with pytest.raises(LogUnavailableError, match="safe in the database"):
        stamper.stamp()
    (wallet.logs / "timestamps").unlink()

    assert not stamper.stamp()  # it is stamped; only the file was missing

    assert (wallet.logs / stamp_path(wallet, 3)).exists()


def other_imprint(tsa: Tsa) -> Callable[[bytes], tuple[int, bytes]]:
    return lambda _: (200, tsa.stamp(b"another text"))


BAD: dict[str, tuple[str, Callable[[Tsa], Callable[[bytes], tuple[int, bytes]]]]] = {
    "garbage": ("in DER", lambda _: lambda _body: (200, b"<html>It works!</html>")),
    "nothing": ("in DER", lambda _: lambda _body: (200, b"")),
    "another text": ("another text", other_imprint),
    "huge": (
        "did not answer",
        lambda _: lambda _body: (200, HUGE),
    ),
    "an error": ("status 500", lambda _: lambda _body: (500, b"sorry")),
    "a redirect": ("status 302", lambda _: lambda _body: (302, b"")),
    "not found": ("status 404", lambda _: lambda _body: (404, b"")),
    "a refusal": (
        "grants no",
        lambda _: lambda _body: (200, REFUSAL),
    ),
}


@pytest.mark.requirement("R98")
@pytest.mark.parametrize("name", BAD)
def test_what_is_no_good_stamp_is_told_once_and_the_log_goes_on(
    wallet: Wallet, tsa: Tsa, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    reason, answers = BAD[name]
    with pretended(answers(tsa)) as line:
        stamper = use(wallet, line.split()[1], tsa)
        for _ in range(5):
            say(wallet)
            publish_all(wallet.installation)
            assert not stamper.stamp()
            wallet.clock.now += 300_000

    assert stamped_sizes(wallet) == []
    assert not (wallet.logs / "timestamps").exists()
    (told,) = [each.getMessage() for each in caplog.records]
    assert "gave no stamp: " in told
    assert reason in told
    assert "the log goes on without" in told


@pytest.mark.requirement("R98")
def test_an_answer_to_another_question_is_no_answer(
    wallet: Wallet, tsa: Tsa, caplog: pytest.LogCaptureFixture
) -> None:
    """A recorded stamp over the same checkpoint, played back much later."""
    publish_all(wallet.installation)
    text = split_note((wallet.logs / "checkpoint").read_bytes()).text
    request = TimestampRequestBuilder().data(text)
    recorded = tsa.reply(
        request.hash_algorithm(HashAlgorithm.SHA256).build().as_bytes()
    )
    with pretended(lambda _: (200, recorded)) as line:
        assert not use(wallet, line.split()[1], tsa).stamp()

    assert "Nonce mismatch" in caplog.text


@pytest.mark.requirement("R98")
def test_a_stamp_by_nobody_who_is_trusted_is_not_kept(
    wallet: Wallet, address: str, tmp_path: Path
) -> None:
    other = make_tsa(tmp_path / "other")
    publish_all(wallet.installation)

    assert not use(wallet, address, other).stamp()
    assert stamped_sizes(wallet) == []


def test_a_slow_answer_is_not_waited_for(
    wallet: Wallet, tsa: Tsa, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authorities, "_TIMEOUT", 0.1)
    publish_all(wallet.installation)

    def answer(body: bytes) -> tuple[int, bytes]:
        time.sleep(0.3)
        return 200, tsa.reply(body)

    with pretended(answer) as line:
        stamper = use(wallet, line.split()[1], tsa)
        began = time.monotonic()
        assert not stamper.stamp()
        assert time.monotonic() - began < 5


def test_a_clock_that_is_wrong_is_told_of_and_not_held_against_the_entries(
    wallet: Wallet, tsa: Tsa, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    wallet.clock.now -= HOUR
    publish_all(wallet.installation)

    assert not use(wallet, address, tsa).stamp()
    assert "its clock differs from ours by 3" in caplog.text


@pytest.mark.requirement("R98")
def test_a_log_without_its_authority_reports_the_gap_and_is_stamped_again(
    wallet: Wallet, tsa: Tsa, caplog: pytest.LogCaptureFixture
) -> None:
    up = False
    asked: list[int] = []

    def answer(body: bytes) -> tuple[int, bytes]:
        asked.append(wallet.clock.now)
        return (200, tsa.reply(body)) if up else (503, b"")

    wallet.clock.now -= 3 * HOUR  # so that it ends today
    publish_all(wallet.installation)
    with pretended(answer) as line:
        stamper = use(wallet, line.split()[1], tsa)
        assert gap(wallet) is None
        for _ in range(36):
            assert not stamper.stamp()
            wallet.clock.now += 300_000
        assert gap(wallet) == pytest.approx(3.0)
        tries = len(set(asked))
        assert 12 <= tries <= 20  # every ten minutes or so, after the first few
        up = True
        wallet.clock.now += 15 * 60_000 // 2
        assert stamper.stamp()
    assert gap(wallet) is None
    assert [each.levelno for each in caplog.records] == [logging.WARNING] * 2
    assert caplog.records[1].getMessage().endswith(" stamps again")


def test_a_clock_that_was_set_back_by_a_day_does_not_silence_the_stamper(
    wallet: Wallet, tsa: Tsa
) -> None:
    asked: list[bytes] = []
    publish_all(wallet.installation)
    with pretended(lambda body: (asked.append(body), (404, b""))[1]) as line:
        stamper = use(wallet, line.split()[1], tsa)
        stamper.stamp()
        stamper.stamp()
        assert len(asked) == 1
        wallet.clock.now -= 24 * HOUR
        stamper.stamp()
        assert len(asked) == 2
