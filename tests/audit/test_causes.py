"""What each finding of the history layer would be raised as, and where it is said."""

from __future__ import annotations

import pytest

from consentkit.audit.history import MAX_CONTRADICTIONS
from consentkit.audit.kept import History
from consentkit.audit.report import Layer
from consentkit.audit.verify import find_faults
from consentkit.errors import ConsistencyError
from consentkit.errors import InclusionError
from consentkit.errors import MalformedError
from consentkit.errors import VerificationError
from consentkit.log.policy import check_policy

from .builder import LogBuilder
from .builder import MemorySource
from .builder import policy_of
from .histories import forged_log
from .histories import honest_log


def causes(source: MemorySource, *kept: bytes) -> list[tuple[str, str, type]]:
    """Step, first word and cause of what the history layer finds."""
    trust = LogBuilder().trust()
    history = History.open([("kept", each) for each in kept], trust=trust)
    found = find_faults(source, trust=trust, history=history, layers=[Layer.HISTORY])
    return [(each.step, each.what.partition(" ")[0], each.cause) for each in found]


def test_every_contradiction_is_an_error_of_consistency() -> None:
    log = honest_log()
    cut = honest_log(later=0).source()

    for source, kept, word in (
        (forged_log().source(), log.checkpoint(5), "REWRITTEN:"),
        (forged_log().source(), log.checkpoint(), "SPLIT"),
        (cut, log.checkpoint(), "TRUNCATED:"),
    ):
        (found,) = causes(source, kept)
        assert found == ("consistency", word, ConsistencyError)


def test_a_record_that_a_receipt_does_not_find_again_is_an_error_of_inclusion() -> None:
    for source, receipt, word in (
        (forged_log().source(), honest_log(later=1).receipt(3), "REWRITTEN:"),
        (honest_log(later=0).source(), honest_log().receipt(6), "TRUNCATED:"),
    ):
        _, found = causes(source, receipt)
        assert found == ("receipt", word, InclusionError)


def test_what_cannot_be_told_is_no_contradiction() -> None:
    log = honest_log()
    source = log.source()
    tile = f"tile/0/000.p/{len(log.leaves)}"
    source.unreadable.add(tile)
    assert causes(source, log.checkpoint(3), log.receipt(3)) == [
        ("consistency", "nothing", VerificationError),
        ("receipt", "whether", VerificationError),
    ]

    # The tiles of the true tree, under a checkpoint of another.
    source = log.source()
    source.files["checkpoint"] = forged_log().checkpoint()
    assert causes(source, forged_log().checkpoint(4)) == [
        ("consistency", "kept", ConsistencyError),
        ("consistency", "the", VerificationError),
    ]


def test_a_tile_in_another_form_is_said_to_be_malformed() -> None:
    log = honest_log()
    source = log.source()
    tile = f"tile/0/000.p/{len(log.leaves)}"
    source.files[tile] = source.files[tile][:-1]

    assert causes(source, log.checkpoint(3), log.receipt(3)) == [
        ("consistency", "nothing", MalformedError),
        ("receipt", "whether", MalformedError),
    ]


def test_a_quorum_that_is_not_met_is_told_in_the_words_of_the_policy() -> None:
    log = honest_log()
    history = History(policy=policy_of("ngo"))

    (finding,) = find_faults(
        log.source(), trust=log.trust(), history=history, layers=[Layer.HISTORY]
    )

    with pytest.raises(VerificationError) as caught:
        check_policy(log.checkpoint(), policy_of("ngo"))
    assert (finding.step, finding.what) == ("quorum", str(caught.value))
    assert finding.cause is type(caught.value)


@pytest.mark.requirement("R98")
@pytest.mark.parametrize("more", [0, 1])
def test_so_many_contradictions_are_told_one_by_one_and_then_counted(more: int) -> None:
    theirs = forged_log(later=25)
    source = honest_log(later=30).source()
    source.files |= {
        f"checkpoints/{size}": theirs.checkpoint(size)
        for size in range(4, 4 + MAX_CONTRADICTIONS + more)
    }

    found = causes(source)

    assert (
        found[:MAX_CONTRADICTIONS]
        == [("consistency", "REWRITTEN:", ConsistencyError)] * MAX_CONTRADICTIONS
    )
    assert (
        found[MAX_CONTRADICTIONS:] == [("consistency", "1", VerificationError)][:more]
    )


def test_the_step_at_which_a_kept_receipt_fails_is_passed_on() -> None:
    log = LogBuilder()
    data = log.receipt(2).replace(b"index 2", b"index 1")

    with pytest.raises(InclusionError) as caught:
        History.open([("mine", data)], trust=log.trust())

    assert caught.value.step == "inclusion"
    assert str(caught.value).startswith("mine: ")
