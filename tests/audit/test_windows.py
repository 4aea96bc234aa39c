"""Between which moments an entry was written, by the word of witnesses."""

from __future__ import annotations

import pytest

from consentkit.audit.kept import History
from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.rules import MAX_SKEW_MS
from consentkit.audit.verify import find_faults
from consentkit.log.policy import Policy

from .builder import ALICE
from .builder import BOB
from .builder import START
from .builder import LogBuilder
from .builder import cosigned
from .builder import policy_of

NOW = START // 1_000
SKEW = MAX_SKEW_MS // 1_000


def log_at(time: int) -> LogBuilder:
    """Three entries at the start, and a fourth of that time (s after the start)."""
    log = LogBuilder()
    log.choice(ALICE, time=START + time * 1_000)
    log.time = START + time * 1_000
    return log


def faults(
    log: LogBuilder,
    stored: dict[int, tuple[int, ...]],
    *,
    policy: Policy | None = None,
    layers: tuple[Layer, ...] = tuple(Layer),
) -> list[Finding]:
    """What is found if ``ngo`` cosigned the log at these sizes and times."""
    source = log.source()
    for size, times in stored.items():
        note = log.checkpoint(size)
        for time in times:
            note = cosigned(note, NOW + time, "ngo")
        source.files[f"checkpoints/{size}"] = note
    newest = stored.get(len(log.leaves), (10**7,))
    source.files["checkpoint"] = cosigned(log.checkpoint(), NOW + newest[0], "ngo")
    history = History(policy=policy or policy_of("ngo"))
    return list(find_faults(source, trust=log.trust(), history=history, layers=layers))


@pytest.mark.requirement("R98")
def test_an_entry_within_its_window_or_the_skew_around_it_is_in_order() -> None:
    for time in (10_000 - SKEW, 10_000, 15_000, 20_000, 20_000 + SKEW):
        assert faults(log_at(time), {3: (10_000,), 4: (20_000,)}) == []


@pytest.mark.requirement("R98")
@pytest.mark.parametrize(
    ("time", "word"), [(10_000 - SKEW - 1, "before"), (20_000 + SKEW + 1, "after")]
)
def test_a_second_beyond_the_skew_is_too_much(time: int, word: str) -> None:
    for layers in (tuple(Layer), (Layer.LOG, Layer.HISTORY), (Layer.HISTORY,)):
        (finding,) = faults(log_at(time), {3: (10_000,), 4: (20_000,)}, layers=layers)

        assert (finding.layer, finding.step, finding.entry) == (
            Layer.HISTORY,
            "time window",
            3,
        )
        expected = f"its time is {MAX_SKEW_MS + 1_000} ms {word} the log was cosigned"
        assert finding.what.startswith(expected)


@pytest.mark.requirement("R98")
def test_the_nearest_checkpoints_make_the_window() -> None:
    log = log_at(50_000)
    log.choice(BOB, time=START + 90_000_000)
    stored = {2: (1,), 3: (49_000,), 4: (51_000,), 5: (90_000,)}

    assert faults(log, stored) == []
    (finding,) = faults(log, {**stored, 4: (49_000,)})
    assert finding.entry == 3
    (finding,) = faults(log, {**stored, 4: (91_000,)})
    assert finding.entry == 4


def test_of_two_cosignatures_of_one_witness_the_earlier_counts() -> None:
    assert faults(log_at(15_000), {3: (40_000, 10_000), 4: (20_000,)}) == []


def test_a_checkpoint_that_the_quorum_did_not_cosign_says_nothing() -> None:
    policy = policy_of("ngo", "press", threshold="2")
    log = log_at(15_000)

    found = faults(log, {3: (40_000,)}, policy=policy)

    assert [finding.step for finding in found] == ["quorum"]


@pytest.mark.requirement("R98")
def test_cosignatures_on_two_copies_of_one_checkpoint_add_up() -> None:
    log = log_at(15_000)
    policy = policy_of("ngo", "press", threshold="2")
    source = log.source()
    source.files["checkpoint"] = cosigned(
        log.checkpoint(), NOW + 20_000, "ngo", "press"
    )
    copies = [
        cosigned(log.checkpoint(3), NOW + 40_000, name) for name in ("ngo", "press")
    ]
    files = [("a copy", each) for each in copies]

    both = History.open(files, trust=log.trust(), policy=policy)
    one = History.open(files[:1], trust=log.trust(), policy=policy)

    assert [
        each.entry for each in find_faults(source, trust=log.trust(), history=both)
    ] == [3]
    assert list(find_faults(source, trust=log.trust(), history=one)) == []


def test_of_two_copies_of_one_cosignature_the_earlier_counts() -> None:
    log, policy = log_at(15_000), policy_of("ngo")
    source = log.source()
    source.files["checkpoint"] = cosigned(log.checkpoint(), NOW + 20_000, "ngo")
    times = (40_000, 10_000, 30_000)
    copies = [
        ("a copy", cosigned(log.checkpoint(3), NOW + time, "ngo")) for time in times
    ]
    history = History.open(copies, trust=log.trust(), policy=policy)

    assert list(find_faults(source, trust=log.trust(), history=history)) == []


@pytest.mark.requirement("R98")
@pytest.mark.parametrize(
    ("time", "entries"),
    [(11_399, [3]), (11_400, []), (20_600, []), (20_601, [3])],
)
def test_of_several_quorums_the_narrowest_window_counts(
    time: int, entries: list[int]
) -> None:
    log, policy = log_at(time), policy_of("ngo", "press", threshold="any")
    source = log.source()
    for path, size, first in (("checkpoints/3", 3, 10_000), ("checkpoint", 4, 20_000)):
        note = cosigned(log.checkpoint(size), NOW + first, "ngo")
        source.files[path] = cosigned(note, NOW + first + 2_000, "press")
    history = History(policy=policy)

    found = find_faults(source, trust=log.trust(), history=history)

    assert [finding.entry for finding in found] == entries


def test_a_checkpoint_of_another_tree_makes_no_window() -> None:
    log, other = log_at(15_000), LogBuilder()
    other.choice(BOB)
    source = log.source()
    source.files["checkpoint"] = cosigned(log.checkpoint(), NOW + 20_000, "ngo")
    source.files["checkpoints/4"] = cosigned(other.checkpoint(), NOW - 90_000, "ngo")

    found = list(
        find_faults(source, trust=log.trust(), history=History(policy=policy_of("ngo")))
    )

    assert [finding.what.partition(":")[0] for finding in found] == ["SPLIT VIEW"]


def test_an_entry_that_is_no_leaf_has_no_time_to_check() -> None:
    log = log_at(15_000)
    log.append(b"given")

    found = faults(log, {3: (10_000,)}, layers=(Layer.HISTORY,))

    assert found == []


@pytest.mark.requirement("R98")
def test_an_entry_behind_one_that_is_no_leaf_is_still_checked() -> None:
    log = log_at(15_000)
    log.append(b"given")
    log.choice(BOB, time=START)

    (finding,) = faults(log, {3: (10_000,), 5: (16_000,)}, layers=(Layer.HISTORY,))

    assert finding.entry == 5


@pytest.mark.requirement("R98")
def test_an_entry_of_the_second_bundle_is_held_against_its_own_window() -> None:
    log = log_at(0)
    for _ in range(256):
        log.denial(BOB)
    log.choice("c" * 32, time=START + 10_000_000)
    stored = {3: (-1,), 260: (9_000,)}

    (finding,) = faults(log, {**stored, 261: (9_000,)}, layers=(Layer.HISTORY,))

    assert finding.entry == 260
