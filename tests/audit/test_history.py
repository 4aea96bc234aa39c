"""The history layer: older checkpoints and receipts that others kept."""

from __future__ import annotations

import pytest

from consentkit.audit.kept import History
from consentkit.audit.kept import open_kept
from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.report import Verdict
from consentkit.audit.verify import Examination
from consentkit.audit.verify import find_faults
from consentkit.audit.verify import verify_log
from consentkit.errors import ConsistencyError
from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.errors import VerificationError
from consentkit.log.policy import parse_policy

from .builder import LogBuilder
from .builder import MemorySource
from .builder import cosigned
from .builder import policy_of
from .builder import whole_log
from .tiny_log import SIGNER
from .tiny_log import TRUST
from .tiny_log import checkpoint
from .tiny_log import faults
from .tiny_log import log_of

NEW_YEAR = 1_767_225_600


@pytest.mark.requirement("R95", "R98")
def test_in_every_small_log_every_older_checkpoint_tells_right_from_wrong() -> None:
    for size in range(14):
        source = log_of(size)
        for old in range(size + 1):
            assert faults(source, checkpoint(old)) == []
            for changed in range(old):
                (finding,) = faults(source, checkpoint(old, changed=changed))

                word = "SPLIT VIEW" if old == size else "REWRITTEN"
                assert finding.what.startswith(word)
                assert finding.proof is not None


@pytest.mark.requirement("R98")
@pytest.mark.parametrize("old", [1, 255, 256, 257, 512, 600, 65_536, 65_700])
def test_an_old_checkpoint_is_found_to_agree_across_tiles_and_levels(old: int) -> None:
    source = log_of(65_800)

    assert faults_of_history(source, checkpoint(old)) == []
    (finding,) = faults_of_history(source, checkpoint(old, changed=old - 1))
    assert finding.what.startswith("REWRITTEN")


def faults_of_history(source: MemorySource, *kept: bytes) -> list[Finding]:
    history = History.open([("kept", each) for each in kept], trust=TRUST)
    return list(
        find_faults(source, trust=TRUST, history=history, layers=[Layer.HISTORY])
    )


@pytest.mark.requirement("R98")
def test_the_history_alone_is_checked_with_a_few_tiles() -> None:
    class Counting(MemorySource):
        asked: set[str] = set()  # noqa: RUF012 - one test, one object

        def read(self, path: str) -> bytes:
            self.asked.add(path)
            return super().read(path)

    source = Counting(log_of(65_800).files)

    assert faults_of_history(source, checkpoint(600), checkpoint(65_700)) == []
    assert not [path for path in source.asked if "entries" in path]
    assert len(source.asked) < 12


def test_a_policy_that_asks_for_nobody_vouches_for_nothing() -> None:
    assert not History(policy=parse_policy(b"quorum none\n")).vouches
    assert History(policy=policy_of("ngo")).vouches


@pytest.mark.requirement("R98")
def test_tiles_that_do_not_lead_to_the_signed_root_show_no_continuity() -> None:
    """The tiles of the tree that was once shown, under a checkpoint of another."""
    source = log_of(300)
    source.files["checkpoint"] = checkpoint(300, changed=7)

    assert faults_of_history(source) == []
    (finding,) = faults_of_history(source, checkpoint(200))
    assert "do not lead to the signed root" in finding.what

    first, second = faults_of_history(source, checkpoint(200, changed=7))
    assert "cannot be shown to be a prefix" in first.what
    assert "do not lead to the signed root" in second.what
    assert first.proof is None


def test_a_missing_tile_ends_the_comparison_but_not_that_of_equal_sizes() -> None:
    source = log_of(300)
    source.unreadable.add("tile/0/000")

    found = faults_of_history(
        source,
        checkpoint(100),
        checkpoint(101),
        checkpoint(300, changed=5),
        checkpoint(301),
    )

    assert [each.what.partition(":")[0] for each in found] == [
        "nothing between here and the signed root can be compared",
        "SPLIT VIEW",
        "TRUNCATED",
    ]


def test_a_receipt_whose_tile_is_missing_is_not_called_rewritten() -> None:
    log = whole_log()
    receipt = log.receipt(3)
    log_now = whole_log()
    source = log_now.source()
    source.unreadable.add(f"tile/0/000.p/{len(log.leaves)}")
    history = History.open([("kept", receipt)], trust=log.trust())

    (finding,) = find_faults(
        source, trust=log.trust(), history=history, layers=[Layer.HISTORY]
    )

    assert (finding.step, finding.entry) == ("receipt", 3)
    assert "cannot be told" in finding.what


def test_a_leaf_hash_that_the_signed_root_does_not_cover_convicts_nobody() -> None:
    log = whole_log()
    source = log.source()
    path = f"tile/0/000.p/{len(log.leaves)}"
    tile = bytearray(source.files[path])
    tile[3 * 32] ^= 1
    source.files[path] = bytes(tile)
    history = History.open([("kept", log.receipt(3))], trust=log.trust())

    (finding,) = find_faults(
        source, trust=log.trust(), history=history, layers=[Layer.HISTORY]
    )

    assert (finding.step, finding.entry) == ("receipt", 3)
    assert "cannot be told" in finding.what
    assert finding.proof is None


def test_what_is_kept_has_to_hold_by_itself_and_is_named() -> None:
    log = LogBuilder()
    trust = log.trust()
    receipt = log.receipt(2)
    bad = {
        b"": MalformedError,
        checkpoint(3): UnknownKeyError,
        log.checkpoint().replace(b"\n3\n", b"\n2\n"): InvalidSignatureError,
        receipt.replace(b"index 2", b"index 1"): VerificationError,
    }
    for data, error in bad.items():
        with pytest.raises(error, match=r"^my file: "):
            open_kept("my file", data, trust=trust)

    note = cosigned(log.checkpoint(), NEW_YEAR, "ngo")
    forged = note.replace(b"ngo", b"ngi")
    assert open_kept("it", forged, trust=trust, policy=policy_of("ngo")).cosigned == {}
    kept = open_kept("it", note, trust=trust, policy=policy_of("ngo"))
    assert kept.cosigned == {"ngo": NEW_YEAR}
    moved = log.checkpoint(2) + note[len(log.checkpoint()) :]
    with pytest.raises(InvalidSignatureError, match=r"^it: "):
        open_kept("it", moved, trust=trust, policy=policy_of("ngo"))


def test_a_policy_for_another_log_is_not_met() -> None:
    log = LogBuilder()
    policy = parse_policy(f"log {SIGNER.vkey}\nquorum none\n".encode())
    history = History(policy=policy)

    (finding,) = find_faults(log.source(), trust=log.trust(), history=history)
    assert (finding.layer, finding.step) == (Layer.HISTORY, "quorum")
    assert finding.cause is UnknownKeyError

    own = parse_policy(f"log {log.log_key.vkey}\nquorum none\n".encode())
    assert verify_log(
        log.source(), trust=log.trust(), history=History(policy=own)
    ).size == len(log.leaves)


def test_the_first_contradiction_is_raised_as_an_error_of_consistency() -> None:
    history = History.open([("kept", checkpoint(3, changed=0))], trust=TRUST)

    with pytest.raises(ConsistencyError, match="REWRITTEN"):
        verify_log(log_of(5), trust=TRUST, history=history, layers=[Layer.HISTORY])


def test_a_log_whose_checkpoint_does_not_open_has_no_history_checked() -> None:
    source = log_of(5)
    del source.files["checkpoint"]
    history = History.open([("kept", checkpoint(3))], trust=TRUST)
    examination = Examination(source, trust=TRUST, history=history)

    (finding,) = examination.find_faults()

    assert finding.step == "checkpoint"
    assert examination.report().layers == {
        Layer.LOG: Verdict.FAILS,
        Layer.HISTORY: Verdict.NOT_CHECKED,
        Layer.RECORDS: Verdict.NOT_CHECKED,
    }


def test_progress_is_told_along_the_walk() -> None:
    told: list[tuple[int, int]] = []
    examination = Examination(
        log_of(300, stored=(100, 200)),
        trust=TRUST,
        layers=[Layer.HISTORY],
        progress=lambda done, total: told.append((done, total)),
    )

    assert list(examination.find_faults()) == []
    assert told == [(100, 300), (200, 300)]
