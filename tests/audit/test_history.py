"""The history layer: older checkpoints, from others and from the log's own folder."""

from __future__ import annotations

import pytest

from consentkit.audit.history import MAX_CONTRADICTIONS
from consentkit.audit.kept import History
from consentkit.audit.kept import open_kept
from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.report import Verdict
from consentkit.audit.trust import Trust
from consentkit.audit.verify import Examination
from consentkit.audit.verify import find_faults
from consentkit.audit.verify import verify_log
from consentkit.errors import ConsistencyError
from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.errors import VerificationError
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.keys import Ed25519Signer
from consentkit.log.merkle import hash_leaf
from consentkit.log.merkle import root_of
from consentkit.log.note import sign_note
from consentkit.log.policy import parse_policy

from .builder import LogBuilder
from .builder import MemorySource
from .builder import cosigned
from .builder import policy_of
from .builder import published
from .builder import whole_log

SIGNER = Ed25519Signer.from_seed("logs.example/one", bytes([9]) * 32)
TRUST = Trust.of([SIGNER.vkey])
RETIRED = Ed25519Signer.from_seed(SIGNER.name, bytes([8]) * 32)
NEW_YEAR = 1_767_225_600


def entries(size: int, *, changed: int = -1) -> list[bytes]:
    return [b"x" if n == changed else b"%d" % n for n in range(size)]


def checkpoint(size: int, *by: Ed25519Signer, changed: int = -1) -> bytes:
    """What a log of tiny entries signed at that size."""
    root = root_of(map(hash_leaf, entries(size, changed=changed)))
    return sign_checkpoint(Checkpoint(SIGNER.name, size, root), *(by or (SIGNER,)))


def log_of(
    size: int, *, changed: int = -1, stored: tuple[int, ...] = ()
) -> MemorySource:
    """A log with its own older checkpoints beside it."""
    files = published(entries(size, changed=changed), SIGNER)
    files |= {f"checkpoints/{n}": checkpoint(n, changed=changed) for n in stored}
    return MemorySource(files)


def faults(source: MemorySource, *kept: bytes) -> list[Finding]:
    history = History.open(
        [(f"kept {n}", each) for n, each in enumerate(kept)], trust=TRUST
    )
    layers = [Layer.LOG, Layer.HISTORY]
    return list(find_faults(source, trust=TRUST, history=history, layers=layers))


def steps(source: MemorySource, *kept: bytes) -> list[tuple[Layer, str]]:
    return [(each.layer, each.step) for each in faults(source, *kept)]


CONSISTENCY = (Layer.HISTORY, "consistency")
CHECKPOINTS = (Layer.HISTORY, "checkpoints")


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


@pytest.mark.requirement("R95", "R98")
def test_a_log_that_keeps_every_checkpoint_holds_with_all_of_them() -> None:
    source = log_of(700, stored=tuple(range(701)))

    assert faults(source) == []


def test_a_log_cannot_vouch_for_itself_with_checkpoints_of_its_own() -> None:
    examination = Examination(
        log_of(9, stored=(3, 9)), trust=TRUST, layers=[Layer.LOG, Layer.HISTORY]
    )

    assert list(examination.find_faults()) == []
    assert examination.report().layers[Layer.HISTORY] is Verdict.NOT_CHECKED


def test_a_policy_that_asks_for_nobody_vouches_for_nothing() -> None:
    assert not History(policy=parse_policy(b"quorum none\n")).vouches
    assert History(policy=policy_of("ngo")).vouches


@pytest.mark.requirement("R95", "R98")
def test_a_stored_checkpoint_that_is_no_prefix_convicts_the_log() -> None:
    source = log_of(9, stored=(3, 4, 5))
    source.files["checkpoints/4"] = checkpoint(4, changed=2)

    (finding,) = faults(source)

    assert (finding.layer, finding.step) == CONSISTENCY
    assert finding.what.startswith("REWRITTEN: the first 4 of 9 entries")
    assert "checkpoints/4" in finding.what


@pytest.mark.requirement("R98")
def test_a_stored_and_a_kept_checkpoint_of_one_size_are_a_split_view() -> None:
    (finding,) = faults(log_of(9, stored=(4,)), checkpoint(4, changed=2))

    assert finding.what.startswith("SPLIT VIEW: kept 0 and checkpoints/4 ")


@pytest.mark.requirement("R98")
def test_a_stored_checkpoint_of_the_newest_size_with_another_root_is_a_split_view() -> (
    None
):
    source = log_of(9)
    source.files["checkpoints/9"] = checkpoint(9, changed=2)

    (finding,) = faults(source)

    assert finding.what.startswith("SPLIT VIEW: checkpoints/9 and checkpoint ")


@pytest.mark.requirement("R98")
def test_a_stored_checkpoint_larger_than_the_newest_is_called_truncated() -> None:
    source = log_of(9)
    source.files["checkpoints/12"] = checkpoint(12)

    (finding,) = faults(source)

    assert finding.what.startswith("TRUNCATED: by checkpoints/12 the log had 12 ")


@pytest.mark.requirement("R97")
@pytest.mark.parametrize(
    ("old", "told"),
    [
        ((3,), "1 older checkpoint is signed by log keys that were not given: "),
        ((3, 4), "2 older checkpoints are signed by log keys that were not given: "),
    ],
)
def test_what_only_a_key_signed_that_was_not_given_is_counted_and_not_judged(
    old: tuple[int, ...], told: str
) -> None:
    source = log_of(9, stored=(5, 9))
    source.files |= {f"checkpoints/{n}": checkpoint(n, RETIRED) for n in old}
    kept = History.open([("kept", checkpoint(5))], trust=TRUST)
    examination = Examination(
        source, trust=TRUST, history=kept, layers=[Layer.LOG, Layer.HISTORY]
    )

    assert list(examination.find_faults()) == []

    report = examination.report()
    assert report.unopened == len(old)
    (line,) = (each for each in report.lines() if "older checkpoint" in each)
    assert line == told + ("not checked; give them with --key, EXPORT/keys lists them")
    assert set(report.to_dict()) == {"holds", "layers", "findings"}


@pytest.mark.requirement("R97", "R98")
def test_what_a_retired_key_signed_is_judged_once_that_key_is_given() -> None:
    source = log_of(9, stored=(5,))
    source.files["checkpoints/4"] = checkpoint(4, RETIRED, changed=2)
    assert faults(source) == []

    both = Trust.of([SIGNER.vkey, RETIRED.vkey])
    examination = Examination(source, trust=both, layers=[Layer.LOG, Layer.HISTORY])
    (finding,) = examination.find_faults()

    assert finding.what.startswith("REWRITTEN: the first 4 of 9 entries")
    assert examination.report().unopened == 0


def test_a_checkpoint_of_both_keys_is_judged_by_the_one_that_was_given() -> None:
    source = log_of(9)
    source.files["checkpoints/4"] = checkpoint(4, RETIRED, SIGNER, changed=2)

    assert steps(source) == [CONSISTENCY]


BAD_FILES = {
    "nothing": (b"", MalformedError),
    "another size": (checkpoint(5), MalformedError),
    "a changed size": (
        checkpoint(4).replace(b"\n4\n", b"\n3\n"),
        InvalidSignatureError,
    ),
    "of another log": (LogBuilder().checkpoint(3), UnknownKeyError),
    "another size, by a key not given": (checkpoint(5, RETIRED), UnknownKeyError),
    "another log, in this one's name": (
        sign_note(Checkpoint("else", 4, bytes(32)).text(), RETIRED),
        UnknownKeyError,
    ),
    "this log, in another's name": (
        sign_note(
            Checkpoint(SIGNER.name, 4, bytes(32)).text(),
            Ed25519Signer.from_seed("else", bytes([8]) * 32),
        ),
        UnknownKeyError,
    ),
    "no checkpoint, by a key not given": (
        sign_note(b"four\n", RETIRED),
        UnknownKeyError,
    ),
    "both keys, and the given one's line changed": (
        checkpoint(4, RETIRED, SIGNER).replace(b"\n4\n", b"\n3\n"),
        InvalidSignatureError,
    ),
    "a note cut short": (checkpoint(4)[:-1], MalformedError),
}


@pytest.mark.requirement("R95")
@pytest.mark.parametrize("case", BAD_FILES)
def test_a_stored_checkpoint_that_does_not_open_is_named(case: str) -> None:
    source = log_of(9, stored=(3, 5))
    source.files["checkpoints/4"], cause = BAD_FILES[case]

    (finding,) = faults(source)

    assert (finding.layer, finding.step) == CHECKPOINTS
    assert finding.what.startswith("checkpoints/4: ")
    assert finding.cause is cause


def test_a_stored_receipt_is_no_stored_checkpoint() -> None:
    log = LogBuilder()
    source = log.source()
    source.files["checkpoints/3"] = log.receipt(1)

    (finding,) = find_faults(source, trust=log.trust())

    assert finding.step == "checkpoints"


def test_a_stored_checkpoint_that_cannot_be_read_is_named() -> None:
    source = log_of(9, stored=(3, 5))
    source.unreadable.add("checkpoints/5")

    assert steps(source) == [CHECKPOINTS]


@pytest.mark.parametrize("name", ["05", "+5", "x", "5/6", "\u0665", "", "5.tmp"])
def test_a_file_beside_the_checkpoints_that_is_none_does_not_belong_there(
    name: str,
) -> None:
    source = log_of(9)
    source.files[f"checkpoints/{name}"] = checkpoint(5)

    assert steps(source) == [(Layer.LOG, "layout")]


@pytest.mark.requirement("R98")
def test_a_rewritten_log_with_many_checkpoints_is_still_examined_whole() -> None:
    source = log_of(1_500)
    source.files |= {
        f"checkpoints/{n}": checkpoint(n, changed=1) for n in range(2, 1_500, 50)
    }
    source.files["extra"] = b""

    *told, more, layout = faults(source)

    assert len(told) == MAX_CONTRADICTIONS
    assert all(each.proof for each in told)
    assert more.what == "10 more of this kind"
    assert layout.step == "layout"


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
