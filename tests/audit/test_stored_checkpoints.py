"""A log's own older checkpoints: they can speak against it, and never for it."""

from __future__ import annotations

import pytest

from consentkit.audit.history import MAX_CONTRADICTIONS
from consentkit.audit.kept import History
from consentkit.audit.report import Layer
from consentkit.audit.report import Verdict
from consentkit.audit.trust import Trust
from consentkit.audit.verify import Examination
from consentkit.audit.verify import find_faults
from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.keys import Ed25519Signer
from consentkit.log.note import sign_note

from .builder import LogBuilder
from .tiny_log import CHECKPOINTS
from .tiny_log import CONSISTENCY
from .tiny_log import RETIRED
from .tiny_log import SIGNER
from .tiny_log import TRUST
from .tiny_log import checkpoint
from .tiny_log import faults
from .tiny_log import log_of
from .tiny_log import steps


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
    assert "unopened" not in report.to_dict()


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
