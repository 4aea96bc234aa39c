"""The report as values, as JSON of a fixed shape and in words, and times in words."""

from __future__ import annotations

import time

import pytest

from consentkit.audit.kept import History
from consentkit.audit.replay import act_of
from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.report import Report
from consentkit.audit.report import Verdict
from consentkit.audit.report import VerifiedLog
from consentkit.audit.report import format_time
from consentkit.audit.verify import Examination
from consentkit.core.act import Actor
from consentkit.core.act import Channel
from consentkit.errors import VerificationError
from consentkit.log.leaf import read_leaf

from .builder import ALICE
from .builder import BOB
from .builder import LogBuilder
from .builder import answer

PLAIN = Finding(Layer.RECORDS, "grant", 4, "it had expired")
PROVEN = Finding(Layer.HISTORY, "consistency", None, "SPLIT VIEW", proof="a proof")
LOG = VerifiedLog(
    "logs.example/one", 5, bytes(32), {"notice": 1, "choice": 3}, {"session": 3}
)
LAYERS = {
    Layer.LOG: Verdict.HOLDS,
    Layer.HISTORY: Verdict.FAILS,
    Layer.RECORDS: Verdict.NOT_CHECKED,
}
IN_WORDS = [
    f"logs.example/one, 5 entries, root {'0' * 64}",
    "kinds: choice 3, notice 1",
    "how far the person's own part is proven: session 3",
]


def test_a_finding_has_the_same_shape_in_json_whatever_it_is() -> None:
    assert PLAIN.to_dict() == {
        "layer": "records",
        "step": "grant",
        "entry": 4,
        "what": "it had expired",
    }
    assert PROVEN.to_dict() == {
        "layer": "history",
        "step": "consistency",
        "entry": None,
        "what": "SPLIT VIEW",
        "proof": "a proof",
    }


def test_a_finding_in_words_ends_with_its_proof() -> None:
    assert list(PLAIN.lines()) == ["records, step grant, entry 4: it had expired"]
    assert list(PROVEN.lines()) == ["history, step consistency: SPLIT VIEW", "a proof"]


def test_a_report_has_the_same_shape_in_json_whatever_it_says() -> None:
    report = Report(LAYERS, (PLAIN,), LOG)

    assert report.to_dict() == {
        "holds": False,
        "layers": {"log": "holds", "history": "fails", "records": "not checked"},
        "findings": [PLAIN.to_dict()],
        "last_moved": {
            "entry": None,
            "cosigned": None,
            "cosignature_checked": False,
            "stamped": None,
        },
        "administrative_acts": None,
        "batches": None,
        "copy": {"manifest": "not checked", "strays": []},
        "released_without_consent": [],
    }


def test_a_report_in_words_ends_with_its_verdict() -> None:
    layers = ["log: holds", "history: fails", "records: not checked"]

    assert list(Report(LAYERS, (PLAIN,), LOG, "none").lines()) == [
        *IN_WORDS,
        *layers,
        "time stamps: none",
        *PLAIN.lines(),
        "DOES NOT HOLD",
    ]
    assert list(Report(LAYERS, (), None).lines()) == [*layers, "holds"]


def test_a_report_that_checked_nothing_does_not_hold() -> None:
    nothing = dict.fromkeys(Layer, Verdict.NOT_CHECKED)

    assert not Report(nothing, (), LOG).holds


def test_a_moment_is_told_in_utc_wherever_the_auditor_sits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert format_time(0) == "1 January 1970, 00:00:00 UTC"
    finally:
        monkeypatch.undo()
        time.tzset()


# -- what an examination hands on -----------------------------------------------------


def test_layers_examined_one_after_the_other_are_all_reported() -> None:
    log = LogBuilder()
    history = History.open([("kept", log.checkpoint(2))], trust=log.trust())
    examination = Examination(log.source(), trust=log.trust(), history=history)

    assert list(examination.find_faults()) == []
    assert examination.report().layers == dict.fromkeys(Layer, Verdict.HOLDS)


def test_without_a_checkpoint_the_step_that_is_missing_is_named() -> None:
    log = LogBuilder()

    with pytest.raises(VerificationError) as caught:
        Examination(log.source(), trust=log.trust()).seen()

    assert caught.value.step == "checkpoint"


def test_progress_through_the_bundles_is_told_by_entries() -> None:
    log = LogBuilder()
    for _ in range(300):
        log.denial(BOB)
    told: list[tuple[int, int]] = []
    examination = Examination(
        log.source(),
        trust=log.trust(),
        layers=[Layer.RECORDS],
        progress=lambda done, size: told.append((done, size)),
    )

    assert list(examination.find_faults()) == []
    assert told == [(256, 303), (303, 303)]


def test_an_act_keeps_who_acted_and_by_which_way() -> None:
    log = LogBuilder()
    log.revocation(ALICE, answer("invalidated"), actor="controller", channel="operator")

    act = act_of(read_leaf(log.leaves[-1]))

    assert (act.actor, act.channel) == (Actor.CONTROLLER, Channel.OPERATOR)
