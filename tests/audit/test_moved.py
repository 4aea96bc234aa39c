"""When a log last moved, on whose word; and how much of officials' acts lies open."""

from __future__ import annotations

import pytest

from consentkit.audit.annexed import disclosure_path
from consentkit.audit.annexed import format_disclosures
from consentkit.audit.bundle import Source
from consentkit.audit.kept import History
from consentkit.audit.report import Layer
from consentkit.audit.report import Report
from consentkit.audit.verify import Examination
from consentkit.log.cosignature import add_cosignatures
from consentkit.log.cosignature import claimed_times
from consentkit.log.note import Signature
from consentkit.log.policy import Policy
from consentkit.log.sealing import commit

from .builder import ALICE
from .builder import BOB
from .builder import EVIDENCE
from .builder import START
from .builder import LogBuilder
from .builder import MemorySource
from .builder import cosigned
from .builder import policy_of

STORED = "checkpoints/3"
SEEN = START // 1_000 + 3_600
SAID = "1 January 2026, 01:00:00 UTC"
BEFORE = "1 January 2026, 00:59:00 UTC"


def small_log() -> LogBuilder:
    log = LogBuilder()
    log.choice(ALICE)
    return log


def report_on(
    log: LogBuilder,
    source: Source | None = None,
    *,
    layers: tuple[Layer, ...] = tuple(Layer),
    policy: Policy | None = None,
) -> Report:
    examination = Examination(
        source or log.source(),
        trust=log.trust(),
        history=History(policy=policy),
        layers=layers,
    )
    list(examination.find_faults())
    return examination.report()


def told(report: Report, about: str) -> list[str]:
    return [line for line in report.lines() if line.startswith(f"{about}: ")]


def with_cosignature(log: LogBuilder, path: str = "checkpoint") -> MemorySource:
    """Cosigned an hour after its start, as it is or as it was at 3 entries."""
    note = log.checkpoint(3 if path == STORED else None)
    return MemorySource({**log.files(), path: cosigned(note, SEEN, "ngo")})


@pytest.mark.requirement("R97")
@pytest.mark.parametrize("layer", [Layer.LOG, Layer.RECORDS])
def test_the_time_of_the_last_entry_is_told_as_its_collectors_claim(
    layer: Layer,
) -> None:
    log = small_log()

    report = report_on(log, layers=(layer,))

    assert told(report, "last entry") == [
        "last entry: 1 January 2026, 00:00:04 UTC, as its collector claims"
    ]
    assert report.to_dict()["last_moved"]["entry"] == "2026-01-01T00:00:04.000Z"
    assert told(report, "last cosigned") == []


def test_of_many_bundles_the_last_entry_of_the_last_one_counts() -> None:
    log = LogBuilder()
    for _ in range(300):
        log.denial(BOB)

    assert report_on(log, layers=(Layer.LOG,)).moved.entry == log.time


def test_a_last_entry_that_cannot_be_read_has_no_time() -> None:
    log = small_log()
    log.append(b"no leaf")

    assert report_on(log).moved.entry is None


@pytest.mark.requirement("R98")
@pytest.mark.parametrize("path", ["checkpoint", STORED])
def test_a_cosignature_nobody_checked_is_told_as_a_claim(path: str) -> None:
    log = small_log()

    report = report_on(log, with_cosignature(log, path))

    assert told(report, "last cosigned") == [
        f"last cosigned: {SAID}, as the line claims; --policy checks it"
    ]
    assert report.layers[Layer.HISTORY].value == "not checked"
    assert report.to_dict()["last_moved"] == {
        "entry": "2026-01-01T00:00:04.000Z",
        "cosigned": "2026-01-01T01:00:00.000Z",
        "cosignature_checked": False,
        "stamped": None,
    }


@pytest.mark.requirement("R98")
def test_with_a_policy_only_its_own_witnesses_are_told_of() -> None:
    log = small_log()
    source = with_cosignature(log)
    checkpoint = source.files["checkpoint"]
    source.files["checkpoint"] = cosigned(checkpoint, SEEN + 86_400, "stranger")
    asked = policy_of("ngo")

    report = report_on(log, source, policy=asked)

    assert told(report, "last cosigned") == [
        f"last cosigned: {SAID}, by a witness of the policy"
    ]
    assert report.to_dict()["last_moved"]["cosignature_checked"] is True


def test_a_quorum_that_is_missing_leaves_what_it_saw_before() -> None:
    log = small_log()
    source = log.source()
    older = cosigned(log.checkpoint(3), SEEN - 60, "ngo")
    source.files[STORED] = older

    report = report_on(log, source, policy=policy_of("ngo"))

    assert [each.step for each in report.findings][:1] == ["quorum"]
    assert told(report, "last cosigned") == [
        f"last cosigned: {BEFORE}, by a witness of the policy"
    ]


def test_a_checkpoint_of_another_tree_says_nothing_of_this_one() -> None:
    log, other = small_log(), LogBuilder()
    other.choice(BOB)
    source = log.source()
    source.files["checkpoints/4"] = cosigned(other.checkpoint(4), SEEN, "ngo")

    report = report_on(log, source)

    assert report.layers[Layer.HISTORY].value == "fails"
    assert report.moved.cosigned is None


def test_a_time_beyond_every_calendar_is_told_and_not_raised() -> None:
    log = small_log()
    line = Signature("far.example", b"\xff" * 4, b"\xff" * 72).line
    source = log.source()
    source.files["checkpoint"] = add_cosignatures(source.files["checkpoint"], [line])

    (said,) = told(report_on(log, source), "last cosigned")

    assert "ms after 1970" in said


def test_the_logs_own_signature_claims_no_time() -> None:
    log = small_log()

    assert claimed_times(log.checkpoint()) == []
    assert claimed_times(cosigned(log.checkpoint(), SEEN, "ngo")) == [SEEN]


# -- administrative acts --------------------------------------------------------------


def administered() -> tuple[LogBuilder, list[str]]:
    """Three administrative acts and the private facts of the first two."""
    log = small_log()
    acts = [
        log.add("admin", action="grant-role", target="dpo", evidence=commit(EVIDENCE)),
        log.add(
            "suspension",
            action="suspend",
            evidence=commit(EVIDENCE),
            purpose="credit-score",
            recipient="",
        ),
        log.add("admin", action="purge", target="x", evidence="e" * 64),
    ]
    return log, acts


@pytest.mark.requirement("R100")
@pytest.mark.parametrize("shown", [0, 1, 2])
def test_administrative_acts_are_counted_with_those_that_lie_open(shown: int) -> None:
    log, acts = administered()
    facts = format_disclosures([each.encoded for each in EVIDENCE])
    files = {**log.files(), **{disclosure_path(act): facts for act in acts[:shown]}}
    person = disclosure_path(f"{3:032x}")  # an answer is no administrative act

    report = report_on(log, MemorySource({**files, person: facts}))

    assert report.findings == ()
    assert told(report, "administrative acts") == [
        f"administrative acts: 3, {shown} of them with their sealed facts"
    ]
    assert report.to_dict()["administrative_acts"] == {
        "logged": 3,
        "with_facts": shown,
    }


def test_facts_that_are_not_those_of_the_act_do_not_count() -> None:
    log, acts = administered()
    facts = format_disclosures([each.encoded for each in EVIDENCE])

    report = report_on(
        log, MemorySource({**log.files(), disclosure_path(acts[2]): facts})
    )

    assert [each.step for each in report.findings] == ["evidence"]
    assert report.official is not None
    assert report.official.shown == 0


class Web:
    """The same files at an address, where nobody can list them."""

    def __init__(self, files: MemorySource) -> None:
        self.read = files.read

    def paths(self) -> None:
        return None


def test_where_no_folder_is_there_to_look_into_nothing_is_said_of_them() -> None:
    log, _ = administered()

    report = report_on(log, Web(log.source()))

    assert report.to_dict()["administrative_acts"] is None
    assert told(report, "administrative acts") == []


def test_without_the_records_layer_nobody_counts_administrative_acts() -> None:
    log, _ = administered()

    assert report_on(log, layers=(Layer.LOG,)).official is None
