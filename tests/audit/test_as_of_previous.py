"""A question to a log that continues another is answered from both."""

from __future__ import annotations

import pytest

from consentkit.audit.annexed import notice_paths
from consentkit.audit.as_of import AsOf
from consentkit.audit.as_of import Question
from consentkit.audit.as_of import as_of
from consentkit.audit.as_of_report import answer_dict
from consentkit.audit.as_of_report import answer_files
from consentkit.audit.as_of_report import answer_lines
from consentkit.audit.receipt import verify_receipt
from consentkit.core.act import Millis
from consentkit.errors import VerificationError
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.leaf import read_leaf

from .builder import ALICE
from .builder import BOB
from .builder import ORIGIN
from .builder import LogBuilder
from .builder import MemorySource
from .builder import answer
from .exported import HTML
from .exported import exported
from .exported import notice_of
from .exported import told_log
from .successor import NEXT
from .successor import THIRD
from .successor import Successor
from .successor import closed


def two_logs() -> tuple[Successor, LogBuilder]:
    """Alice says yes and is shared (3, 4); in the next log shared again, stopped."""
    old = LogBuilder()
    record = old.choice(ALICE)
    grant = old.leaves[-1]
    old.disclosure(record, ALICE)
    new = Successor(closed(old))
    new.share(record, grant)
    new.revocation(ALICE)
    return new, old


def ask(
    log: LogBuilder, *previous: LogBuilder | MemorySource, at: int, subject: str = ALICE
) -> AsOf:
    source = log.source()
    note = source.read("checkpoint")
    checkpoint = open_checkpoint(note, log.trust().log)
    older = [
        each.source() if isinstance(each, LogBuilder) else each for each in previous
    ]
    question = Question(subject, Millis(at))
    return as_of(source, note, checkpoint, question, previous=older)


def time_of(log: LogBuilder, index: int) -> int:
    return read_leaf(log.leaves[index]).time


def places(given: AsOf) -> list[tuple[int, int]]:
    return [(each.back, each.index) for each in given.entries()]


@pytest.mark.requirement("R100")
def test_a_moment_in_the_earlier_log_is_answered_there() -> None:
    new, old = two_logs()

    given = ask(new, old, at=time_of(old, 4))

    (basis,) = given.bases
    assert (basis.state, basis.in_force) == ("given", True)
    assert [(each.back, each.index) for each in basis.acts] == [(1, 3)]
    assert [(each.back, each.index) for each in basis.shares] == [(1, 4)]
    assert basis.shown is not None
    assert (basis.shown.entry.back, basis.shown.entry.index) == (1, 2)
    assert places(given) == [(1, 2), (1, 3), (1, 4), (0, 0)]


@pytest.mark.requirement("R100")
def test_a_grant_of_the_earlier_log_stands_in_the_one_that_follows() -> None:
    new, old = two_logs()

    (shared,) = ask(new, old, at=time_of(new, 3)).bases
    (stopped,) = ask(new, old, at=time_of(new, 4)).bases

    assert (shared.state, shared.in_force) == ("given", True)
    assert [(each.back, each.index) for each in shared.shares] == [(1, 4), (0, 3)]
    assert (stopped.state, stopped.in_force) == ("withdrawn", False)
    assert [(each.back, each.index) for each in stopped.acts] == [(1, 3), (0, 4)]


@pytest.mark.requirement("R99", "R100")
def test_each_proof_leads_to_a_tree_that_the_log_asked_signed_or_names() -> None:
    new, old = two_logs()

    files = dict(answer_files(ask(new, old, at=new.time)))

    (link,) = answer_dict(ask(new, old, at=new.time))["previous"]
    assert link["proof"] == "entry-0.tlog-proof"
    assert files["checkpoint"] == new.checkpoint()
    assert files["previous-1/checkpoint"] == old.checkpoint()
    trusts = {NEXT: new.trust(pinned=True), ORIGIN: old.trust(pinned=True)}
    proven = {}
    for name, data in files.items():
        if name.endswith(".tlog-proof"):
            origin = ORIGIN if name.startswith("previous-1/") else NEXT
            proven[name] = verify_receipt(data, trust=trusts[origin]).leaf.kind
    assert proven == {
        "previous-1/entry-2.tlog-proof": "notice",
        "previous-1/entry-3.tlog-proof": "choice",
        "previous-1/entry-4.tlog-proof": "disclosure",
        "entry-0.tlog-proof": "genesis",
        "entry-3.tlog-proof": "disclosure",
        "entry-4.tlog-proof": "revocation",
    }


def test_what_stands_in_an_earlier_log_is_told_with_the_logs_name() -> None:
    new, old = two_logs()

    told = "\n".join(answer_lines(ask(new, old, at=new.time)))

    assert f"    given: entry 3 of {ORIGIN}, 1 January 2026" in told
    assert "    withdrawn: entry 4, 1 January 2026" in told
    assert f"logged by entry 2 of {ORIGIN}\n" in told


def test_the_text_is_taken_from_the_log_of_the_act() -> None:
    old = told_log()
    new = Successor(closed(old))
    files = MemorySource(exported(old))

    (basis,) = ask(new, files, at=new.time).bases

    assert basis.shown is not None
    assert basis.shown.notice is not None
    assert basis.shown.notice.html == HTML
    names = [name for name, _ in answer_files(ask(new, files, at=new.time))]
    assert names[-2:] == list(notice_paths(notice_of().digest))


def test_a_notice_that_both_logged_is_that_of_the_log_where_the_act_is() -> None:
    old = LogBuilder()
    old.choice(ALICE)
    new = Successor(closed(old))
    new.choice(ALICE, answer("renewed"))

    (basis,) = ask(new, old, at=new.time).bases

    assert basis.shown is not None
    assert (basis.shown.entry.back, basis.shown.entry.index) == (0, 2)


def test_who_was_erased_and_what_was_stopped_stays_so_in_the_next_log() -> None:
    old = LogBuilder()
    old.choice(ALICE)
    old.choice(BOB)
    old.erasure(ALICE)
    old.suspension("suspend", "credit-score")
    old.batch()
    new = Successor(closed(old))
    new.batch()

    gone = ask(new, old, at=new.time)
    (stopped,) = ask(new, old, at=new.time, subject=BOB).bases

    assert gone.erased is not None
    assert (gone.erased.back, gone.erased.index) == (1, 5)
    assert gone.bases[0].status is None
    assert f"was erased by entry 5 of {ORIGIN};" in "\n".join(answer_lines(gone))
    assert stopped.stopped is not None
    assert (stopped.in_force, stopped.stopped.index) == (False, 6)
    assert stopped.batches == 2


def test_three_logs_in_a_row_answer_as_one() -> None:
    middle, old = two_logs()
    last = Successor(closed(middle, THIRD), THIRD)
    last.choice(ALICE)

    given = ask(last, middle, old, at=last.time)

    assert [(each.back, each.index) for each in given.links] == [(0, 0), (1, 0)]
    assert [(each.back, each.index) for each in given.bases[0].acts] == [
        (2, 3),
        (1, 4),
        (0, 3),
    ]
    files = dict(answer_files(given))
    assert files["previous-2/checkpoint"] == old.checkpoint()


def test_a_log_that_names_no_other_has_none_before_it() -> None:
    new, old = two_logs()

    with pytest.raises(VerificationError) as caught:
        ask(old, new, at=old.time)

    assert caught.value.step == "previous"


def test_files_of_another_log_prove_nothing() -> None:
    new, _ = two_logs()
    other = LogBuilder()
    other.choice(BOB)
    other.choice(ALICE)
    other.add("closure", reason="key-compromise", successor=NEXT)

    with pytest.raises(VerificationError) as caught:
        ask(new, other, at=new.time)

    assert caught.value.step == "inclusion"
