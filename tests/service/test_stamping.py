"""The newest checkpoint is time-stamped now and then, and the log waits for nobody."""

from __future__ import annotations

import time

import pytest
import urllib3

from consentkit.audit.bundle import FolderSource
from consentkit.audit.kept import History
from consentkit.audit.timestamps import open_timestamp
from consentkit.audit.verify import Examination
from consentkit.errors import ConfigurationError
from consentkit.log.note import split_note
from consentkit.service import authorities
from consentkit.service.authorities import Authority
from consentkit.service.background import elected
from consentkit.service.publishing import PublisherThread
from consentkit.service.publishing import publish_all
from consentkit.service.stamping import list_timestamps
from consentkit.service.stamping import stamp_once
from tests.processes import in_fork
from tests.service.log_files import files
from tests.service.log_files import say
from tests.service.stamps import BRIEF
from tests.service.stamps import HOUR
from tests.service.stamps import gap
from tests.service.stamps import stamp_path
from tests.service.stamps import stamped_sizes
from tests.service.stamps import use
from tests.service.wallet import Wallet
from tests.service.witnessed import pretended
from tests.tsa_process import Tsa


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The three tries of one request follow each other at once."""
    monkeypatch.setattr(authorities, "_RETRY_DELAYS", (0.0, 0.0))


@pytest.fixture
def wallet(wallet: Wallet) -> Wallet:
    """Its clock goes as the authority's does: today."""
    wallet.clock.now = time.time_ns() // 1_000_000
    return wallet


# Stamped


@pytest.mark.requirement("R98")
def test_the_newest_checkpoint_is_stamped_and_an_auditor_is_content(
    wallet: Wallet, tsa: Tsa, address: str
) -> None:
    stamper = use(wallet, address, tsa)
    say(wallet)
    publish_all(wallet.installation)

    assert stamper.stamp()

    (stamp,) = wallet.installation.timestamps.all()
    note = (wallet.logs / "checkpoint").read_bytes()
    when = open_timestamp(stamp[2], text=split_note(note).text, roots=tsa.roots)
    assert stamp[:2] == (5, wallet.installation.authority.id)  # type: ignore[union-attr]  # use() has set it
    assert abs(when - wallet.clock.now) < 60_000
    assert (wallet.logs / stamp_path(wallet, 5)).read_bytes() == stamp[2]
    (report,) = list_timestamps(wallet.installation)
    assert report.name == address
    assert report.newest
    assert (report.newest.size, report.newest.time) == (5, when)
    assert report.gap is None
    examination = Examination(
        FolderSource(wallet.logs),
        trust=wallet.trust,
        history=History(tsa_roots=tsa.roots),
    )
    assert list(examination.find_faults()) == []
    assert "1 of 1 hold" in examination.report().stamps


@pytest.mark.requirement("R98")
def test_only_the_hash_of_the_checkpoint_leaves_the_house(
    wallet: Wallet, tsa: Tsa
) -> None:
    asked: list[bytes] = []

    def answer(body: bytes) -> tuple[int, bytes]:
        asked.append(body)
        return 200, tsa.reply(body)

    publish_all(wallet.installation)
    with pretended(answer) as line:
        assert use(wallet, line.split()[1], tsa).stamp()

    (query,) = asked
    assert len(query) < 100
    assert b"wallet" not in query


@pytest.mark.requirement("R98")
def test_one_stamp_an_interval_and_none_for_what_is_stamped_already(
    wallet: Wallet, tsa: Tsa, address: str
) -> None:
    stamper = use(wallet, address, tsa)
    publish_all(wallet.installation)
    assert stamper.stamp()
    say(wallet)
    publish_all(wallet.installation)
    assert not stamper.stamp()  # too soon
    wallet.clock.now += 2 * BRIEF
    assert stamper.stamp()
    wallet.clock.now += 20 * BRIEF
    assert not stamper.stamp()  # nothing new

    assert stamped_sizes(wallet) == [3, 5]


def test_another_process_knows_what_this_one_has_stamped(
    wallet: Wallet, tsa: Tsa, address: str
) -> None:
    use(wallet, address, tsa)
    publish_all(wallet.installation)
    assert stamp_once(wallet.installation)
    say(wallet)
    publish_all(wallet.installation)

    assert stamp_once(wallet.installation) is False


def test_one_process_asks_at_a_time(wallet: Wallet, tsa: Tsa, address: str) -> None:
    use(wallet, address, tsa)
    publish_all(wallet.installation)
    with elected(wallet.logs, "timestamps") as mine:
        assert mine
        assert stamp_once(wallet.installation) is None
    assert stamp_once(wallet.installation)


def test_an_empty_log_and_one_without_authority_are_not_stamped(
    wallet: Wallet, tsa: Tsa, address: str
) -> None:
    assert stamp_once(wallet.installation) is False
    assert list_timestamps(wallet.installation) == []
    assert use(wallet, address, tsa).stamp() is False  # nothing is published yet
    assert gap(wallet) is None


def test_files_that_were_lost_are_written_again(
    wallet: Wallet, tsa: Tsa, address: str
) -> None:
    use(wallet, address, tsa).stamp()
    publish_all(wallet.installation)
    stamp_once(wallet.installation)
    before = files(wallet.logs)
    (wallet.logs / stamp_path(wallet, 3)).unlink()

    stamp_once(wallet.installation)

    assert files(wallet.logs) == before
    assert stamp_path(wallet, 3) in before


def test_a_stamp_is_kept_once(wallet: Wallet) -> None:
    publish_all(wallet.installation)
    timestamps = wallet.installation.timestamps
    timestamps.add(3, "a" * 16, b"first", wallet.clock())
    timestamps.add(3, "a" * 16, b"second", wallet.clock())

    assert list(timestamps.all()) == [(3, "a" * 16, b"first")]
    assert timestamps.read(3, "a" * 16) == b"first"
    assert timestamps.read(3, "b" * 16) is None


def test_an_earlier_authority_stays_on_the_list(
    wallet: Wallet, tsa: Tsa, address: str
) -> None:
    publish_all(wallet.installation)
    wallet.installation.timestamps.add(3, "a" * 16, b"reply", wallet.clock())
    use(wallet, address, tsa).stamp()

    assert [each.name for each in list_timestamps(wallet.installation)] == [
        address,
        "a" * 16,
    ]


@pytest.mark.requirement("R98")
def test_a_web_process_has_its_log_stamped_by_itself(
    wallet: Wallet, tsa: Tsa, address: str
) -> None:
    use(wallet, address, tsa)
    say(wallet)

    def run_until_stamped() -> bool:
        PublisherThread(wallet.installation).ensure_running()
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if (wallet.logs / stamp_path(wallet, 5)).exists():
                return True
            time.sleep(0.02)
        return False

    assert in_fork(run_until_stamped).value


# Configured


WRONG_ADDRESSES = {
    "no scheme": "tsa.example",
    "another scheme": "ftp://tsa.example/tsr",
    "no host": "https:///tsr",
    "a fragment": "https://tsa.example/#x",
    "a space": "https://tsa.example/t sr",
    "two lines": "https://tsa.example/\nx",
    "no port": "https://tsa.example:port/",
    "port 0": "https://tsa.example:0/",
    "port 70000": "https://tsa.example:70000/",
    "a password in the clear": "http://name:word@tsa.example/",
    "a password that no header can hold": "https://name:%C3%A9%E2%82%AC@tsa.example/",
}


@pytest.mark.parametrize("name", WRONG_ADDRESSES)
def test_an_address_that_cannot_be_used_is_refused(tsa: Tsa, name: str) -> None:
    with pytest.raises(ConfigurationError, match="https://") as caught:
        Authority.parse(WRONG_ADDRESSES[name], roots=tsa.roots, interval=HOUR)
    assert "word@" not in str(caught.value)


def test_a_password_is_sent_and_said_nowhere(
    wallet: Wallet,
    tsa: Tsa,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sent: list[dict[str, str]] = []

    def request(*_: object, headers: dict[str, str], **__: object) -> None:
        sent.append(headers)
        raise urllib3.exceptions.TimeoutError

    monkeypatch.setattr(urllib3.PoolManager, "request", request)
    publish_all(wallet.installation)
    address = "https://name:pass%3Aword@tsa.example/tsr?policy=1"
    stamper = use(wallet, address, tsa)
    assert not stamper.stamp()

    authority = wallet.installation.authority
    assert authority
    assert authority.url == "https://tsa.example/tsr?policy=1"
    assert sent[0]["authorization"] == "Basic bmFtZTpwYXNzOndvcmQ="
    without = Authority.parse(authority.url, roots=tsa.roots, interval=HOUR)
    assert authority.id == without.id
    assert "word" not in caplog.text + repr(authority)
