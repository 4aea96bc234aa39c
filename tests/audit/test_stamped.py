"""Time stamps beside a log: what they say of its entries, and of the log itself."""

from __future__ import annotations

import time
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.audit.annexed import timestamp_path
from consentkit.audit.bundle import FolderSource
from consentkit.audit.kept import History
from consentkit.audit.promise import compare_with_log
from consentkit.audit.receipt import verify_receipt
from consentkit.audit.report import Layer
from consentkit.audit.report import Verdict
from consentkit.audit.rules import MAX_SKEW_MS
from consentkit.audit.stamped import StampCheck
from consentkit.audit.timestamps import TimeStamp
from consentkit.audit.verify import Examination
from consentkit.errors import MalformedError
from consentkit.errors import VerificationError
from consentkit.log.note import split_note
from tests.tsa_process import Tsa
from tests.tsa_process import make_tsa

from .builder import ALICE
from .builder import BOB
from .builder import START
from .builder import LogBuilder
from .builder import MemorySource
from .builder import whole_log
from .histories import forged_log
from .histories import honest_log

if TYPE_CHECKING:
    from pathlib import Path

ID = "0123456789abcdef"


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    return make_tsa(tmp_path_factory.mktemp("tsa") / "tsa")


def now() -> int:
    return time.time_ns() // 1_000_000


def stamp(tsa: Tsa, log: LogBuilder, size: int | None = None) -> bytes:
    """The answer over the log's checkpoint of that size."""
    return tsa.stamp(split_note(log.checkpoint(size)).text)


def examined(
    source: MemorySource, roots: bytes | None, **layers: tuple[Layer, ...]
) -> Examination:
    history = History(tsa_roots=roots)
    trust = LogBuilder().trust()
    examination = Examination(source, trust=trust, history=history, **layers)
    list(examination.find_faults())
    return examination


def last_line(examination: Examination) -> str:
    """What the report says of the stamps."""
    lines = examination.report().lines()
    return next(line for line in lines if line.startswith("time stamps: "))


# Beside a log


@pytest.mark.requirement("R98")
def test_a_log_with_good_stamps_holds_and_the_report_tells_of_them(tsa: Tsa) -> None:
    log = whole_log()
    source = log.source()
    for authority in (ID, ID[::-1]):
        source.files[timestamp_path(len(log.leaves), authority)] = stamp(tsa, log)

    examination = examined(source, tsa.roots)

    report = examination.report()
    assert report.findings == ()
    assert report.holds
    assert last_line(examination).startswith(
        f"time stamps: 2 of 2 hold, the last over {len(log.leaves)} entries at "
    )
    told = report.to_dict()["last_moved"]["stamped"]
    assert abs(datetime.fromisoformat(told).timestamp() - time.time()) < 600


@pytest.mark.requirement("R98")
def test_a_stamp_says_when_and_not_that_there_is_no_other_log(tsa: Tsa) -> None:
    log = honest_log()
    source = log.source()
    source.files[timestamp_path(7, ID)] = stamp(tsa, log)

    layers = examined(source, tsa.roots).report().layers

    assert layers[Layer.HISTORY] is Verdict.NOT_CHECKED


def test_without_roots_stamps_are_not_checked_and_say_nothing(tsa: Tsa) -> None:
    log = forged_log()
    source = log.source()
    source.files[timestamp_path(7, ID)] = stamp(tsa, honest_log())
    source.files[timestamp_path(9, ID)] = b"garbage"

    examination = examined(source, None)

    assert examination.report().findings == ()
    assert last_line(examination) == "time stamps: 2, not checked"


def test_a_log_without_stamps_says_so_only_to_who_asks(tsa: Tsa) -> None:
    source = honest_log().source()

    assert last_line(examined(source, tsa.roots)) == "time stamps: none"
    assert "time stamps" not in "\n".join(examined(source, None).report().lines())


@pytest.mark.requirement("R98")
def test_a_log_rewritten_with_all_its_keys_does_not_fit_the_old_stamps(
    tsa: Tsa,
) -> None:
    honest, forged = honest_log(), forged_log()
    source = forged.source()
    for size in (4, 7):
        source.files[f"checkpoints/{size}"] = forged.checkpoint(size)
        source.files[timestamp_path(size, ID)] = stamp(tsa, honest, size)

    examination = examined(source, tsa.roots)

    report = examination.report()
    assert report.layers[Layer.LOG] is Verdict.HOLDS
    assert report.layers[Layer.RECORDS] is Verdict.HOLDS
    assert [(each.layer, each.step) for each in report.findings] == [
        (Layer.HISTORY, "time stamp")
    ] * 2
    for finding, size in zip(report.findings, (4, 7), strict=True):
        assert finding.what == (
            f"timestamps/{size}/{ID}.tsr: it is over another text: the log was "
            "rewritten since, or the file belongs to something else"
        )
    assert last_line(examination) == "time stamps: none of 2 holds"


@pytest.mark.requirement("R98")
def test_the_old_checkpoint_and_its_stamp_convict_with_a_date(tsa: Tsa) -> None:
    """The checkpoint convicts; the stamp says since when it cannot be denied."""
    honest, forged = honest_log(), forged_log()
    reply, note = stamp(tsa, honest), honest.checkpoint()
    trust = honest.trust()
    history = History.open([("kept", note)], trust=trust, tsa_roots=tsa.roots)
    source = forged.source()
    source.files[timestamp_path(7, ID)] = reply

    examination = Examination(source, trust=trust, history=history)

    assert [each.step for each in examination.find_faults()] == [
        "consistency",
        "time stamp",
    ]
    assert verify_receipt(
        honest.receipt(3), trust=trust, stamp=TimeStamp(reply, tsa.roots)
    ).stamped


@pytest.mark.requirement("R98")
def test_a_log_that_was_cut_lacks_what_was_stamped(tsa: Tsa) -> None:
    log = honest_log()
    reply = stamp(tsa, log)
    cut = honest_log(later=1)
    cut_source = cut.source()
    cut_source.files[timestamp_path(7, ID)] = reply

    (finding,) = examined(cut_source, tsa.roots).report().findings

    assert finding.step == "time stamp"
    assert finding.what.endswith("there is no tree of that size to compare with")


def test_a_stamp_that_cannot_be_read_is_named(tsa: Tsa) -> None:
    log = honest_log()
    source = log.source()
    source.files[timestamp_path(7, ID)] = b"garbage"
    source.files[timestamp_path(6, ID)] = stamp(tsa, log, 6)
    source.unreadable.add(timestamp_path(6, ID))

    examination = examined(source, tsa.roots)

    six, seven = (each.what for each in examination.report().findings)
    assert six == f"{timestamp_path(6, ID)} is not there"
    assert seven.startswith(f"{timestamp_path(7, ID)}: ")
    assert examination.report().findings[1].cause is MalformedError
    assert last_line(examination) == "time stamps: none of 2 holds"


def test_a_folder_may_hold_stamps_and_nothing_like_them(
    tsa: Tsa, tmp_path: Path
) -> None:
    log = honest_log()
    files = log.files() | {timestamp_path(7, ID): stamp(tsa, log)}
    files |= {f"timestamps/7/{ID}.tsr.old": b"x", "timestamps/07/" + ID + ".tsr": b"x"}
    for path, data in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    history = History(tsa_roots=tsa.roots)
    examination = Examination(
        FolderSource(tmp_path), trust=log.trust(), history=history
    )

    found = list(examination.find_faults())

    assert [each.step for each in found] == ["layout", "layout"]


# What they say of the entries


@pytest.mark.requirement("R98")
@pytest.mark.parametrize(
    "layers", [tuple(Layer), (Layer.LOG, Layer.HISTORY), (Layer.HISTORY,)]
)
def test_an_entry_dated_back_behind_a_stamp_is_flagged(
    tsa: Tsa, layers: tuple[Layer, ...]
) -> None:
    log = honest_log()
    source_stamp = stamp(tsa, log)
    log.choice(BOB)  # of the new year, as it claims; written after the stamp
    source = log.source()
    source.files[timestamp_path(7, ID)] = source_stamp

    (finding,) = examined(source, tsa.roots, layers=layers).report().findings

    assert (finding.layer, finding.step, finding.entry) == (
        Layer.HISTORY,
        "time window",
        7,
    )
    assert "before the log was time-stamped without it" in finding.what


@pytest.mark.requirement("R98")
def test_an_entry_that_claims_to_be_younger_than_its_stamp_is_flagged(
    tsa: Tsa,
) -> None:
    log = honest_log()
    log.choice(BOB, time=now() + MAX_SKEW_MS + 60_000)
    source = log.source()
    source.files[timestamp_path(8, ID)] = stamp(tsa, log)

    (finding,) = examined(source, tsa.roots).report().findings

    assert (finding.step, finding.entry) == ("time window", 7)
    assert "after the log was time-stamped with it" in finding.what


@pytest.mark.requirement("R98")
def test_entries_in_step_with_their_stamps_are_in_order(tsa: Tsa) -> None:
    log = honest_log()
    source_stamp = stamp(tsa, log)
    log.time = now() - MAX_SKEW_MS + 60_000
    log.choice(BOB)
    source = log.source()
    source.files[timestamp_path(7, ID)] = source_stamp
    source.files[timestamp_path(8, ID)] = stamp(tsa, log)

    assert examined(source, tsa.roots).report().findings == ()


def bounds(
    stamps: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> dict[int, tuple[int, int]]:
    """Earliest and latest moment by size, in seconds, for stamps (size, ms)."""
    files = {
        timestamp_path(size, f"{number:016x}"): str(time).encode()
        for number, (size, time) in enumerate(stamps)
    }
    check = StampCheck(MemorySource(files), origin="o", roots=b"roots")
    list(check.note(files))
    with monkeypatch.context() as patch:
        patch.setattr(
            "consentkit.audit.stamped.open_timestamp", lambda reply, **_: int(reply)
        )
        for size in sorted(check.sizes):
            assert list(check.check(size, bytes(32))) == []
    return {size: (seen.first, seen.last) for size, seen in check.seen()}


def test_moments_are_rounded_in_favour_of_the_entries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert bounds([(3, 1_500)], monkeypatch) == {3: (2, 1)}


def test_a_tree_stamped_after_a_larger_one_bounds_nothing_downwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An authority stamps what it is given, were it a checkpoint of last year."""
    stamps = [(3, 1_000), (4, 9_000), (5, 5_000), (5, 7_000)]

    assert bounds(stamps, monkeypatch) == {3: (1, 1), 4: (5, 1), 5: (5, 7)}


@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.integers(1, 20).map(lambda each: each * 1_000)),
        max_size=9,
    )
)
def test_bounds_are_those_that_the_stamps_force(stamps: list[tuple[int, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        found = bounds(stamps, patch)

    for size, (first, last) in found.items():
        assert first == min(at for each, at in stamps if each >= size) // 1_000
        timely = [
            at
            for each, at in stamps
            if each <= size and all(at <= t for more, t in stamps if more > each)
        ]
        assert last == max(timely, default=0) // 1_000
    assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(found.values()))


# One receipt


@pytest.mark.requirement("R98")
def test_a_receipt_tells_when_its_checkpoint_was_stamped(tsa: Tsa) -> None:
    log = honest_log()
    before = now()
    reply = TimeStamp(stamp(tsa, log), tsa.roots)

    receipt = verify_receipt(log.receipt(3), trust=log.trust(), stamp=reply)

    assert receipt.stamped is not None
    assert before - 1_000 <= receipt.stamped <= now()
    assert receipt.to_dict()["stamped"] == receipt.stamped
    text = "\n".join(receipt.lines())
    assert "An authority time-stamped it at " in text
    assert "nothing but the collector's word" in text  # months lie between
    assert compare_with_log(
        log.receipt(3), source=log.source(), trust=log.trust(), stamp=reply
    ).holds


def test_a_receipt_that_nobody_brought_a_stamp_for_says_so() -> None:
    log = honest_log()

    receipt = verify_receipt(log.receipt(3), trust=log.trust())

    assert receipt.to_dict()["stamped"] == "not checked"
    assert "stamp" not in "\n".join(receipt.lines())


@pytest.mark.requirement("R98")
def test_the_stamp_of_another_checkpoint_is_none_of_a_receipts(tsa: Tsa) -> None:
    log = honest_log()
    for other in (stamp(tsa, log, 6), stamp(tsa, forged_log())):
        with pytest.raises(VerificationError, match="over another text") as caught:
            verify_receipt(
                log.receipt(3), trust=log.trust(), stamp=TimeStamp(other, tsa.roots)
            )
        assert caught.value.step == "time stamp"


@pytest.mark.requirement("R98")
def test_a_receipt_that_claims_to_be_younger_than_its_stamp_does_not_hold(
    tsa: Tsa,
) -> None:
    log = honest_log()
    log.choice(ALICE, time=now() + MAX_SKEW_MS + 60_000)

    with pytest.raises(VerificationError, match="after the log was time-") as caught:
        verify_receipt(
            log.receipt(7),
            trust=log.trust(),
            stamp=TimeStamp(stamp(tsa, log), tsa.roots),
        )

    assert caught.value.step == "time window"
    assert log.time > START
