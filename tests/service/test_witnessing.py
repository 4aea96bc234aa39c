"""The log is shown to its witnesses, and carries what they say."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from consentkit.audit.receipt import verify_receipt
from consentkit.errors import LogConflictError
from consentkit.log.cosignature import add_cosignatures
from consentkit.log.cosignature import cosign
from consentkit.log.cosignature import open_cosignature
from consentkit.log.merkle import prove_consistency
from consentkit.log.proof import parse_proof
from consentkit.service import witnessing
from consentkit.service.background import elected
from consentkit.service.publishing import PublisherThread
from consentkit.service.publishing import publish_all
from consentkit.service.receipts import find_receipt
from consentkit.service.witnessing import ask_witnesses
from consentkit.service.witnessing import list_witnesses
from tests.processes import in_fork
from tests.service.log_files import files
from tests.service.log_files import say
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet
from tests.service.witnessed import KEY
from tests.service.witnessed import MINUTE
from tests.service.witnessed import honest
from tests.service.witnessed import lines_under
from tests.service.witnessed import on_disk
from tests.service.witnessed import pretended
from tests.service.witnessed import show
from tests.service.witnessed import use
from tests.witness_process import serve_witness

if TYPE_CHECKING:
    from pathlib import Path

    from consentkit.log.merkle import HashReader
    from tests.witness_process import WitnessProcess

# Cosigned


@pytest.mark.requirement("R98")
def test_the_published_checkpoint_carries_the_cosignatures_of_real_witnesses(
    wallet: Wallet, witness: WitnessProcess, tmp_path: Path
) -> None:
    vkey = wallet.installation.keyring.log.vkey
    with serve_witness(tmp_path / "second", vkey, name="second.example") as second:
        use(wallet, witness.line, second.line)
        say(wallet)
        assert show(wallet) == 2

    assert wallet.installation.publications.latest() == (5, on_disk(wallet))
    assert lines_under(on_disk(wallet)) == 2
    for each in (witness, second):
        at = open_cosignature(on_disk(wallet), each.verifier)
        assert abs(at - time.time()) < 60
    reports = list_witnesses(wallet.installation)
    assert [each.cosigner.name for each in reports] == [
        *("witness.example/w1", "second.example")
    ]
    assert all(each.newest and each.newest.size == 5 for each in reports)
    wallet.verify()


@pytest.mark.requirement("R98")
def test_a_log_that_grows_is_cosigned_again_and_again(
    wallet: Wallet, witness: WitnessProcess
) -> None:
    for _ in range(5):
        say(wallet, times=3)
        assert show(wallet) == 1
        assert open_cosignature(on_disk(wallet), witness.verifier)
        wallet.clock.now += MINUTE

    assert len(wallet.sql("SELECT 1 FROM consent_cosignature")) == 5
    assert show(wallet) == 0  # nothing new to show


@pytest.mark.requirement("R98")
def test_a_receipt_carries_the_cosigned_checkpoint(
    wallet: Wallet, witness: WitnessProcess
) -> None:
    leaf = wallet.answer("alice", CREDIT_SCORE)
    show(wallet)
    say(wallet)
    publish_all(wallet.installation)  # a newer checkpoint, not cosigned yet

    receipt = find_receipt(wallet.installation, "alice", leaf.id)

    assert receipt
    assert receipt.proof
    assert verify_receipt(receipt.proof, trust=wallet.trust).leaf.id == leaf.id
    assert open_cosignature(parse_proof(receipt.proof).checkpoint, witness.verifier)


def test_a_receipt_that_no_cosigned_checkpoint_covers_carries_the_newest(
    wallet: Wallet, witness: WitnessProcess
) -> None:
    show(wallet)
    leaf = wallet.answer("alice", CREDIT_SCORE)
    publish_all(wallet.installation)

    receipt = find_receipt(wallet.installation, "alice", leaf.id)

    assert lines_under(on_disk(wallet)) == 0
    assert receipt
    assert receipt.proof
    assert parse_proof(receipt.proof).checkpoint == on_disk(wallet)
    assert witness.process.poll() is None


def test_a_receipt_prefers_the_checkpoint_with_most_cosignatures(
    wallet: Wallet, witness: WitnessProcess
) -> None:
    with pretended(honest) as other:
        use(wallet, witness.line, other)
        leaf = wallet.answer("alice", CREDIT_SCORE)
        assert show(wallet) == 2
    wallet.clock.now += MINUTE
    say(wallet)
    assert show(wallet) == 1  # the other is down by now

    receipt = find_receipt(wallet.installation, "alice", leaf.id)

    assert receipt
    assert receipt.proof
    assert lines_under(parse_proof(receipt.proof).checkpoint) == 2


def test_only_the_checkpoint_is_written_again(
    wallet: Wallet, witness: WitnessProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(wallet, times=20)
    publish_all(wallet.installation)
    before = files(wallet.logs)
    assert ask_witnesses(wallet.installation) == 1

    def refuse(_size: int) -> None:
        raise AssertionError

    monkeypatch.setattr(wallet.installation.publications, "files", refuse)
    publish_all(wallet.installation)

    after = files(wallet.logs)
    assert after.pop("checkpoint").startswith(before.pop("checkpoint"))
    assert after == before
    assert open_cosignature(on_disk(wallet), witness.verifier)


def test_new_leaves_go_on_from_a_cosigned_checkpoint(
    wallet: Wallet, witness: WitnessProcess
) -> None:
    show(wallet)
    assert open_cosignature(on_disk(wallet), witness.verifier)
    say(wallet)
    publish_all(wallet.installation)
    assert lines_under(on_disk(wallet)) == 0


def test_lines_that_came_while_nobody_published_are_added_later(
    wallet: Wallet, witness: WitnessProcess
) -> None:
    publish_all(wallet.installation)
    without = on_disk(wallet)
    ask_witnesses(wallet.installation)
    assert on_disk(wallet) == without

    later = Wallet(wallet.folder, clock=wallet.clock)
    publish_all(later.installation)

    assert open_cosignature(on_disk(later), witness.verifier)


@pytest.mark.requirement("R95")
def test_a_line_that_this_log_never_got_is_not_published_over(
    wallet: Wallet, witness: WitnessProcess
) -> None:
    """It stands there because the database is older than the file, or is not ours."""
    wallet.damaged = True
    show(wallet)
    foreign = cosign(on_disk(wallet), KEY, time=1)
    (wallet.logs / "checkpoint").write_bytes(
        add_cosignatures(on_disk(wallet), [foreign])
    )
    with pytest.raises(LogConflictError, match="not one that this database knows"):
        publish_all(wallet.installation)
    assert open_cosignature(on_disk(wallet), witness.verifier)


# How often, and about what


@pytest.mark.requirement("R98")
def test_a_witness_is_asked_at_most_once_a_minute(wallet: Wallet) -> None:
    asked: list[int] = []

    def count(body: bytes) -> tuple[int, bytes]:
        asked.append(wallet.clock.now)
        return honest(body)

    with pretended(count) as line:
        use(wallet, line)
        for _ in range(60):
            say(wallet)
            show(wallet)
            wallet.clock.now += 5_000

    assert 4 <= len(asked) <= 6
    assert all(b - a >= MINUTE for a, b in pairwise(asked))


def test_who_is_asked_within_a_minute_is_asked_about_the_same_checkpoint(
    wallet: Wallet, witness: WitnessProcess, tmp_path: Path
) -> None:
    show(wallet)
    wallet.clock.now += 30_000
    say(wallet)
    vkey = wallet.installation.keyring.log.vkey
    with serve_witness(tmp_path / "second", vkey, name="second.example") as second:
        use(wallet, witness.line, second.line)
        assert show(wallet) == 1
        assert [
            each.newest.size
            for each in list_witnesses(wallet.installation)
            if each.newest
        ] == [3, 3]
        wallet.clock.now += 30_001
        assert show(wallet) == 1  # the first one; the second one's minute is not over
        wallet.clock.now += 30_000
        assert show(wallet) == 1
    assert lines_under(on_disk(wallet)) == 2


def test_a_proof_is_worked_out_once_for_all_witnesses(
    wallet: Wallet,
    witness: WitnessProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proved: list[int] = []

    def count(old: int, new: int, reader: HashReader) -> list[bytes]:
        proved.append(old)
        return prove_consistency(old, new, reader)

    vkey = wallet.installation.keyring.log.vkey
    with serve_witness(tmp_path / "second", vkey, name="second.example") as second:
        use(wallet, witness.line, second.line)
        show(wallet)
        wallet.clock.now += MINUTE
        say(wallet, times=9)
        monkeypatch.setattr(witnessing, "prove_consistency", count)
        assert show(wallet) == 2

    assert proved == [3]


def test_a_crash_while_asking_does_not_make_it_ask_again_at_once(
    wallet: Wallet, witness: WitnessProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(witnessing, "request_cosignature", crash)
        with pytest.raises(RuntimeError):
            show(wallet)
    assert show(wallet) == 0
    wallet.clock.now += MINUTE
    assert show(wallet) == 1
    assert open_cosignature(on_disk(wallet), witness.verifier)


def test_a_clock_that_was_set_back_by_a_day_does_not_silence_the_log(
    wallet: Wallet, witness: WitnessProcess
) -> None:
    show(wallet)
    say(wallet)
    wallet.clock.now -= 24 * 60 * MINUTE

    assert show(wallet) == 1
    assert open_cosignature(on_disk(wallet), witness.verifier)


def test_one_process_asks_at_a_time(wallet: Wallet, witness: WitnessProcess) -> None:
    publish_all(wallet.installation)
    with elected(wallet.logs, "witnesses") as mine:
        assert mine
        assert ask_witnesses(wallet.installation) is None
    assert ask_witnesses(wallet.installation) == 1
    assert witness.process.poll() is None


def test_without_witnesses_nobody_is_asked(wallet: Wallet) -> None:
    assert show(wallet) == 0
    assert list_witnesses(wallet.installation) == []


# Beside requests


@pytest.mark.requirement("R98")
def test_a_web_process_publishes_and_asks_by_itself(
    wallet: Wallet, witness: WitnessProcess
) -> None:
    say(wallet)

    def run_until_cosigned() -> bool:
        PublisherThread(wallet.installation).ensure_running()
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if (wallet.logs / "checkpoint").exists() and lines_under(on_disk(wallet)):
                return True
            time.sleep(0.02)
        return False

    assert in_fork(run_until_cosigned).value
    assert open_cosignature(on_disk(wallet), witness.verifier)
