"""On what basis did somebody get something, at a moment?"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from consentkit.audit.annexed import notice_paths
from consentkit.audit.as_of import AsOf
from consentkit.audit.as_of import Question
from consentkit.audit.as_of import as_of
from consentkit.audit.as_of_report import answer_dict
from consentkit.audit.as_of_report import answer_files
from consentkit.audit.as_of_report import answer_lines
from consentkit.audit.plain_text import plain_text
from consentkit.audit.receipt import verify_receipt
from consentkit.core.act import Millis
from consentkit.errors import VerificationError
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.leaf import read_leaf

from .builder import ALICE
from .builder import BOB
from .builder import START
from .builder import LogBuilder
from .builder import MemorySource
from .builder import answer
from .exported import HTML
from .exported import exported
from .exported import notice_of
from .exported import told_log

SECOND = 1_000
DATA = ("contacts", "spending")


def ask(log: LogBuilder, at: int, subject: str = ALICE, **files: bytes) -> AsOf:
    """What the log says of a subject, with all files of an export at hand."""
    source = MemorySource({**log.files(), **files})
    return ask_of(log, source, Question(subject, Millis(at)))


def ask_of(log: LogBuilder, source: MemorySource, question: Question) -> AsOf:
    note = source.read("checkpoint")
    checkpoint = open_checkpoint(note, log.trust().log)
    return as_of(source, note, checkpoint, question)


def time_of(log: LogBuilder, index: int) -> int:
    return read_leaf(log.leaves[index]).time


@pytest.mark.requirement("R100")
def test_the_answer_changes_at_the_very_moment_of_an_act() -> None:
    log = told_log()  # 4: yes, 5: shared, 6: Bob, 7: withdrawn
    seen = {}
    for moment in (time_of(log, 4) - 1, *(time_of(log, at) for at in (4, 5, 6, 7))):
        bases = ask(log, moment).bases
        seen[moment] = [(b.state, b.in_force, len(b.shares)) for b in bases]

    assert list(seen.values()) == [
        [],
        [("given", True, 0)],
        [("given", True, 1)],
        [("given", True, 1)],
        [("withdrawn", False, 1)],
    ]


@pytest.mark.requirement("R100")
def test_the_answer_holds_the_text_that_was_shown_byte_for_byte() -> None:
    log = told_log()
    source = MemorySource(exported(log))

    (basis,) = ask_of(log, source, Question(ALICE, Millis(log.time))).bases

    assert basis.shown is not None
    assert basis.shown.notice is not None
    assert basis.shown.notice.html == HTML
    assert basis.shown.entry.index == 3
    assert [each.index for each in basis.acts] == [4, 7]


@pytest.mark.requirement("R100")
def test_each_entry_of_the_answer_comes_with_a_proof_that_stands_alone() -> None:
    log = told_log()
    source = MemorySource(exported(log))

    answer = ask_of(log, source, Question(ALICE, Millis(log.time)))
    files = dict(answer_files(answer))

    manifest, html = notice_paths(notice_of().digest)
    assert files[html] == HTML
    assert files[manifest] == notice_of().manifest_bytes
    proofs = {name: data for name, data in files.items() if "tlog-proof" in name}
    receipts = [
        verify_receipt(data, trust=log.trust(pinned=True)) for data in proofs.values()
    ]
    assert [(each.index, each.leaf.kind) for each in receipts] == [
        (3, "notice"),
        (4, "choice"),
        (5, "disclosure"),
        (7, "revocation"),
    ]
    assert b'"state": "withdrawn"' in files["answer.json"]


def test_a_grant_that_had_run_out_is_expired_and_not_in_force() -> None:
    log = LogBuilder()
    log.choice(ALICE, answer(until=START + 60 * SECOND))

    (before,) = ask(log, START + 60 * SECOND - 1).bases
    (after,) = ask(log, START + 60 * SECOND).bases

    assert (before.state, before.in_force) == ("given", True)
    assert (after.state, after.in_force) == ("expired", False)


@pytest.mark.parametrize(
    ("purpose", "recipient"),
    list(product(("credit-score", ""), ("acme-credit", ""))),
)
def test_a_sharing_that_was_stopped_is_not_in_force(
    purpose: str, recipient: str
) -> None:
    log = LogBuilder()
    log.choice(ALICE)
    log.suspension("suspend", purpose, recipient)
    stopped_at = log.time
    log.suspension("resume", purpose, recipient)

    (during,) = ask(log, stopped_at).bases
    (after,) = ask(log, log.time).bases

    assert not during.in_force
    assert during.stopped is not None
    assert during.stopped.index == 4
    assert after.in_force


def test_the_suspension_of_another_purpose_stops_nothing_here() -> None:
    log = LogBuilder()
    log.choice(ALICE)
    log.suspension("suspend", "offers")

    assert ask(log, log.time).bases[0].in_force


def test_nothing_stands_once_the_person_was_erased_but_before_that_it_did() -> None:
    log = LogBuilder()
    log.choice(ALICE)
    given_at = log.time
    log.erasure(ALICE)

    erased = ask(log, log.time)

    assert erased.erased is not None
    assert [(each.state, each.in_force) for each in erased.bases] == [(None, False)]
    assert "was erased by entry 4" in "\n".join(answer_lines(erased))
    assert ask(log, given_at).bases[0].in_force
    assert ask(log, given_at).erased is None


def test_of_two_acts_the_later_in_the_log_counts_whatever_their_clocks_say() -> None:
    log = LogBuilder()
    log.choice(ALICE)
    log.revocation(ALICE, time=log.time - 10)

    (basis,) = ask(log, log.time).bases

    assert basis.state == "withdrawn"


def test_a_question_may_be_narrowed_to_a_purpose_and_a_recipient() -> None:
    log = LogBuilder()
    log.choice(
        ALICE,
        answer(),
        answer("refused", recipient="corner-shops"),
        answer("refused", purpose="offers"),
    )
    source, at = MemorySource(log.files()), Millis(log.time)

    def keys(purpose: str | None, recipient: str | None) -> list[tuple[str, str]]:
        found = ask_of(log, source, Question(ALICE, at, purpose, recipient)).bases
        return [(each.purpose, each.recipient) for each in found]

    assert len(keys(None, None)) == 3
    assert keys("offers", None) == [("offers", "acme-credit")]
    assert keys(None, "corner-shops") == [("credit-score", "corner-shops")]
    assert keys("offers", "corner-shops") == []


def test_batches_are_counted_since_they_name_nobody() -> None:
    log = LogBuilder()
    log.choice(ALICE)
    log.batch()

    answer_then = ask(log, log.time)

    assert answer_then.bases[0].batches == 1
    assert "the log alone does not tell" in "\n".join(answer_lines(answer_then))


def test_a_text_that_is_not_at_hand_is_said_to_be_so() -> None:
    log = LogBuilder()
    log.choice(ALICE)

    answer_then = ask(log, log.time)

    assert answer_dict(answer_then)["questions"][0]["notice"]["text"] is None
    assert "the text is not here" in "\n".join(answer_lines(answer_then))


def test_a_text_that_was_swapped_gives_no_answer() -> None:
    log = told_log()
    _, html = notice_paths(notice_of().digest)
    source = MemorySource({**exported(log), html: b"<p>Say yes.</p>"})

    with pytest.raises(VerificationError) as caught:
        ask_of(log, source, Question(ALICE, Millis(log.time)))

    assert (caught.value.step, caught.value.entry) == ("notice", 3)


def test_an_entry_that_is_not_in_the_signed_tree_gives_no_answer() -> None:
    log = told_log()
    files = log.files()
    other = LogBuilder(begin=False)
    other.leaves = [*log.leaves]
    other.leaves[7] = log.leaves[5]
    source = MemorySource({**other.files(), "checkpoint": files["checkpoint"]})

    with pytest.raises(VerificationError) as caught:
        ask_of(log, source, Question(ALICE, Millis(log.time)))

    assert caught.value.step == "inclusion"


def test_nobody_else_is_in_the_answer() -> None:
    answer_then = ask(told_log(), START + 10**9)

    assert BOB not in str(answer_dict(answer_then))
    assert not ask(told_log(), START + 10**9, "0" * 32).bases


def test_a_notice_is_shown_as_lines_without_style_and_control_characters() -> None:
    assert plain_text(HTML) == [
        "May Acme see what you spend?",
        "It works out a score.",
        "No",
        "Yes",
    ]
    hostile = "<p>a\x1b[2Jb\u202ec</p><script>x</script></p><title>t</title>d&amp;e"
    assert plain_text(hostile.encode()) == ["a [2Jb c", "d&e"]


def test_what_a_browser_does_not_show_is_not_told_however_it_is_nested() -> None:
    template = "<template>a<script>b</script>c</template>"

    assert plain_text(f"{template}<p>d</p></style><p>e</p>".encode()) == ["d", "e"]
    assert plain_text(b"one\ntwo <b>three</b>\xff four") == ["one two three\ufffd four"]


@dataclass(frozen=True)
class Step:
    """Something that happens: what, to whom, on which question, how much later."""

    what: str
    subject: str
    question: int
    later: int
    data: tuple[str, ...]
    lasts: int


QUESTIONS = (("credit-score", "acme-credit"), ("offers", "corner-shops"))
HAPPENING = st.sampled_from(
    ["given", "refused", "deferred", "withdrawn", "disclosure", "erasure"]
)
STEPS = st.lists(
    st.builds(
        Step,
        what=HAPPENING,
        subject=st.sampled_from([ALICE, BOB]),
        question=st.sampled_from([0, 1]),
        later=st.integers(-3, 10),
        data=st.sets(st.sampled_from(DATA), min_size=1).map(lambda d: tuple(sorted(d))),
        lasts=st.integers(1, 40),
    ),
    max_size=12,
)


def log_of(steps: list[Step]) -> tuple[LogBuilder, list[tuple[int, Step]]]:
    """A log in which these things happen, and when each of them did."""
    log, happened, time = LogBuilder(), [], START + 60
    for step in steps:
        time += step.later
        purpose, recipient = QUESTIONS[step.question]
        names: dict[str, Any] = {"purpose": purpose, "recipient": recipient}
        match step.what:
            case "disclosure":
                log.disclosure(f"{0:032x}", step.subject, time=time, **names)
            case "erasure":
                log.add("erasure", subject=step.subject, reason="request", time=time)
            case "withdrawn":
                log.revocation(step.subject, answer("withdrawn", **names), time=time)
            case "given":
                names |= {"data": list(step.data), "until": time + step.lasts}
                log.choice(step.subject, answer("given", **names), time=time)
            case said:
                log.choice(step.subject, answer(said, **names), time=time)
        happened.append((time, step))
    return log, happened


def naive(
    happened: list[tuple[int, Step]], at: int
) -> dict[tuple[str, str], tuple[str, frozenset[str], int]]:
    """State, data and number of shares of Alice, told from the steps themselves."""
    state: dict[int, tuple[str, frozenset[str], int]] = {}
    shares: dict[int, int] = {}
    touched = set()
    for time, step in happened:
        if time > at or step.subject != ALICE:
            continue
        if step.what == "erasure":
            state.clear()
            continue
        touched.add(step.question)
        if step.what == "disclosure":
            shares[step.question] = shares.get(step.question, 0) + 1
        elif step.what == "given":
            until = time + step.lasts
            state[step.question] = ("given", frozenset(step.data), until)
        else:
            state[step.question] = (step.what, frozenset(), 0)
    found = {}
    for question in touched:
        said, data, until = state.get(question, ("", frozenset(), 0))
        if said == "given" and at >= until:
            said = "expired"
        found[QUESTIONS[question]] = (said, data, shares.get(question, 0))
    return found


@pytest.mark.requirement("R100")
@given(steps=STEPS, at=st.integers(START + 30, START + 200))
@settings(deadline=None, max_examples=150)
def test_the_answer_is_that_of_a_naive_replay(steps: list[Step], at: int) -> None:
    log, happened = log_of(steps)

    bases = ask(log, at).bases

    assert {
        (each.purpose, each.recipient): (
            str(each.state or ""),
            each.status.data if each.status else frozenset(),
            len(each.shares),
        )
        for each in bases
    } == naive(happened, at)
    assert all(each.in_force == (each.state == "given") for each in bases)
