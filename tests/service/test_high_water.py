"""What is remembered outside the database, before anything is signed."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from consentkit.errors import LogConflictError
from consentkit.errors import LogUnavailableError
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.keys import Ed25519Signer
from consentkit.service.publishing import accept_high_water
from consentkit.service.publishing import publish_all
from consentkit.service.witnessing import ask_witnesses
from consentkit.store.publications import Publications
from tests.processes import in_fork
from tests.service.log_files import check_tree
from tests.service.log_files import files
from tests.service.log_files import say
from tests.service.wallet import ORIGIN
from tests.service.wallet import Wallet
from tests.service.witnessed import MINUTE
from tests.service.witnessed import honest
from tests.service.witnessed import pretended
from tests.service.witnessed import show
from tests.service.witnessed import use

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def path_of(wallet: Wallet) -> Path:
    return wallet.installation.high_water.path


def refuses(wallet: Wallet, why: str) -> None:
    """Nothing is signed, nothing overwritten, and the message says what to do."""
    before = wallet.contents(), files(wallet.logs), files(path_of(wallet).parent)
    with pytest.raises(LogConflictError, match=why) as caught:
        publish_all(wallet.installation)
    assert "nothing was signed or overwritten" in str(caught.value)
    assert "docs/recovery.md" in str(caught.value)
    now = wallet.contents(), files(wallet.logs), files(path_of(wallet).parent)
    assert now == before


def killed_before_the_commit(wallet: Wallet) -> Checkpoint:
    """Publish in a fork that dies between the file and the commit; what was signed."""

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def publish_and_die() -> None:
        setattr(Publications, "_keep", die)  # noqa: B010  of this fork alone
        publish_all(wallet.installation)

    assert in_fork(publish_and_die).signal == signal.SIGKILL
    return open_checkpoint(path_of(wallet).read_bytes(), wallet.trust.log)


@pytest.mark.requirement("R119")
def test_what_is_signed_is_on_record_outside_before_it_is_committed(
    wallet: Wallet,
) -> None:
    size = publish_all(wallet.installation)
    say(wallet, times=2)
    assert killed_before_the_commit(wallet).size == len(wallet.leaves())
    assert wallet.sql("SELECT MAX(size) FROM consent_checkpoint") == [(size,)]


@pytest.mark.requirement("R119")
@pytest.mark.parametrize("more", [0, 3], ids=["nothing new", "more leaves wait"])
def test_what_a_crash_cut_short_is_done_again_as_it_was_before_anything_new(
    wallet: Wallet, more: int
) -> None:
    """The same leaves get the same numbers, and no signed checkpoint is left out."""
    publish_all(wallet.installation)
    say(wallet, times=2)
    signed = killed_before_the_commit(wallet)
    note = path_of(wallet).read_bytes()
    say(wallet, times=more)
    wallet.verify()
    assert wallet.installation.publications.signed(signed.size) == note
    assert (path_of(wallet).read_bytes() == note) is (more == 0)
    check_tree(wallet)


@pytest.mark.requirement("R119")
def test_a_crash_after_which_waiting_leaves_vanished_is_no_crash(
    wallet: Wallet,
) -> None:
    wallet.damaged = True
    publish_all(wallet.installation)
    say(wallet, times=2)
    killed_before_the_commit(wallet)
    wallet.unguard("delete")
    wallet.sql(
        "DELETE FROM consent_leaf WHERE idx IS NULL "
        "AND position < (SELECT MAX(position) FROM consent_leaf)"
    )
    wallet.sql(  # what was written with them
        "DELETE FROM consent_subject WHERE handle NOT IN "
        "(SELECT handle FROM consent_leaf WHERE handle IS NOT NULL)"
    )
    refuses(wallet, "does not hold that many")
    wallet.clock.now += 1
    say(wallet, times=5)
    refuses(wallet, "are not those that the high-water file")


def another_log(_: Wallet) -> bytes:
    other = Checkpoint("shop.example/consent/2026", 1, b"x" * 32)
    return sign_checkpoint(other, Ed25519Signer.generate(other.origin))


def signed(wallet: Wallet, size: int, root: bytes) -> bytes:
    return sign_checkpoint(
        Checkpoint(ORIGIN, size, root), wallet.installation.keyring.log
    )


MARKS: dict[str, tuple[Callable[[Wallet], bytes], str]] = {
    "nothing": (lambda _: b"", "is no checkpoint"),
    "no note": (lambda _: b"4\n", "is no checkpoint"),
    "cut short": (lambda wallet: path_of(wallet).read_bytes()[:-9], "no checkpoint"),
    "another log's": (another_log, "a checkpoint of 'shop.example/consent/2026'"),
    "another tree": (lambda wallet: signed(wallet, 2, b"x" * 32), "are not those that"),
    "a longer log": (lambda wallet: signed(wallet, 99, b"x" * 32), "has had 99"),
}


@pytest.mark.parametrize(("mark", "why"), MARKS.values(), ids=MARKS)
@pytest.mark.parametrize("waiting", [0, 2], ids=["nothing waits", "leaves wait"])
def test_a_high_water_file_that_says_something_else_stops_the_publisher(
    wallet: Wallet, mark: Callable[[Wallet], bytes], why: str, *, waiting: int
) -> None:
    say(wallet)
    publish_all(wallet.installation)
    good = path_of(wallet).read_bytes()
    say(wallet, times=waiting)
    path_of(wallet).write_bytes(mark(wallet))
    refuses(wallet, why)
    path_of(wallet).write_bytes(good)


def test_an_older_high_water_file_says_nothing_against_the_database(
    wallet: Wallet,
) -> None:
    """Put back with the keys, say: it is weaker, but it is not wrong."""
    publish_all(wallet.installation)
    older = path_of(wallet).read_bytes()
    for _ in range(3):
        say(wallet, times=2)
        path_of(wallet).write_bytes(older)
        wallet.verify()


def test_a_lost_file_is_begun_anew_only_when_somebody_says_so(wallet: Wallet) -> None:
    size = publish_all(wallet.installation)
    lost = path_of(wallet).read_bytes()
    say(wallet)
    path_of(wallet).unlink()
    refuses(wallet, "--accept-high-water")
    assert accept_high_water(wallet.installation) == size
    assert path_of(wallet).read_bytes() == lost
    with pytest.raises(LogConflictError, match="nothing to accept"):
        accept_high_water(wallet.installation)


def test_a_log_that_has_published_nothing_needs_no_file(wallet: Wallet) -> None:
    assert accept_high_water(wallet.installation) == 0
    assert not path_of(wallet).exists()


def test_nobody_can_accept_what_the_published_checkpoint_contradicts(
    wallet: Wallet,
) -> None:
    publish_all(wallet.installation)
    path_of(wallet).unlink()
    published = wallet.logs / "checkpoint"
    good = published.read_bytes()
    published.write_bytes(signed(wallet, 9, b"x" * 32))
    with pytest.raises(LogConflictError, match="by the published checkpoint"):
        accept_high_water(wallet.installation)
    published.write_bytes(good)
    accept_high_water(wallet.installation)


def test_a_file_that_cannot_be_written_keeps_everything_from_being_signed(
    wallet: Wallet,
) -> None:
    publish_all(wallet.installation)
    say(wallet)
    before = wallet.contents()
    draft = path_of(wallet).with_name(f".{path_of(wallet).name}.draft")
    draft.mkdir()
    with pytest.raises(LogUnavailableError, match="CONSENTKIT_HIGH_WATER"):
        publish_all(wallet.installation)
    assert wallet.contents() == before
    draft.rmdir()


@pytest.mark.requirement("R98")
def test_a_witness_that_knows_a_longer_log_stops_the_publisher_until_it_does_not(
    wallet: Wallet,
) -> None:
    """It is asked on, so that a mistake of its own does not stop a log for ever."""
    mistakes = [b"90\n"]
    with pretended(
        lambda body: (409, mistakes.pop()) if mistakes else honest(body)
    ) as line:
        use(wallet, line)
        with pytest.raises(LogConflictError, match="w1 has cosigned 90 entries"):
            show(wallet)
        say(wallet)
        refuses(wallet, "w1 has cosigned 90 entries, but the database has published 3")
        wallet.clock.now += 2 * MINUTE
        ask_witnesses(wallet.installation)
        assert publish_all(wallet.installation) == len(wallet.leaves())


@pytest.mark.requirement("R98")
def test_a_witness_that_is_not_asked_any_more_stops_nobody(wallet: Wallet) -> None:
    with pretended(lambda _body: (409, b"90\n")) as line:
        use(wallet, line)
        with pytest.raises(LogConflictError):
            show(wallet)
    use(wallet)
    say(wallet)
    publish_all(wallet.installation)
