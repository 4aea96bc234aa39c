"""The lean table says what the replay says: there is one fold, kept in two ways."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consentkit.audit.replay import StateTable
from consentkit.audit.standing import People
from consentkit.audit.standing import StandingAnswers
from consentkit.log.leaf import read_leaf

from .builder import ALICE
from .builder import BOB
from .builder import LogBuilder
from .builder import answer

RECIPIENTS = ["acme-credit", "broker", "shop"]
EVENTS = st.lists(
    st.tuples(
        st.sampled_from([ALICE, BOB, "c" * 32]),
        st.sampled_from(["given", "renewed", "refused", "withdrawn", "erased"]),
        st.lists(st.sampled_from(RECIPIENTS), min_size=1, unique=True).map(sorted),
    ),
    max_size=14,
)


def log_of(events: list[tuple[str, str, list[str]]]) -> LogBuilder:
    log = LogBuilder()
    for subject, state, recipients in events:
        if state == "erased":
            log.erasure(subject)
            continue
        act = log.revocation if state == "withdrawn" else log.choice
        act(subject, *(answer(state, recipient=each) for each in recipients))
    return log


@given(EVENTS)
def test_everybody_stands_where_the_replay_says(
    events: list[tuple[str, str, list[str]]],
) -> None:
    full, lean = StateTable(), StandingAnswers(People())
    for index, data in enumerate(log_of(events).leaves):
        leaf = read_leaf(data)
        full.apply(leaf)
        lean.apply(index, leaf)
        for subject in (ALICE, BOB, "c" * 32, "d" * 32):
            for recipient in RECIPIENTS:
                _compare(full, lean, subject, recipient)


def _compare(
    full: StateTable, lean: StandingAnswers, subject: str, recipient: str
) -> None:
    row = full.get(subject, "credit-score", recipient)
    standing = lean.get(subject, "credit-score", recipient)
    if row is None or standing is None:
        assert row is standing is None
        return
    status = row.status
    assert standing[:4] == (status.state, status.data, status.scope, status.until)
    assert standing.entry == int(status.record, 16)
    assert lean.rests_on(standing, status.record, row.grant)
    assert not lean.rests_on(standing, status.record[::-1] + "0", row.grant)
    assert not lean.rests_on(standing, status.record, row.grant[:-1])
    for now in (status.until - 1, status.until):
        assert standing.authorises(now) == status.authorises(now)


def test_an_answer_to_one_question_says_nothing_of_another() -> None:
    lean = StandingAnswers(People())
    lean.apply(0, read_leaf(log_of([(ALICE, "given", ["shop"])]).leaves[3]))

    assert lean.get(ALICE, "credit-score", "acme-credit") is None
    assert lean.get(ALICE, "other", "shop") is None
    assert lean.get(BOB, "credit-score", "shop") is None


def test_an_answer_of_a_log_two_logs_back_is_numbered_back_through_both() -> None:
    lean = StandingAnswers(People())
    leaves = log_of([(ALICE, "given", ["shop"])]).leaves
    lean.apply(3, read_leaf(leaves[3]))
    entries = []
    for size in (10, 5):
        lean.succeed(size)
        standing = lean.get(ALICE, "credit-score", "shop")
        assert standing is not None
        entries.append(standing.entry)
    lean.apply(2, read_leaf(log_of([(BOB, "given", ["shop"])]).leaves[3]))
    later = lean.get(BOB, "credit-score", "shop")

    assert entries == [-7, -12]
    assert later is not None
    assert later.entry == 2


def test_when_one_person_is_erased_all_that_another_said_still_stands() -> None:
    log = log_of([(BOB, "given", ["acme-credit", "shop"]), (ALICE, "given", ["shop"])])
    log.erasure(ALICE)
    lean = StandingAnswers(People())
    for index, data in enumerate(log.leaves):
        lean.apply(index, read_leaf(data))

    assert lean.get(ALICE, "credit-score", "shop") is None
    for recipient in ("acme-credit", "shop"):
        standing = lean.get(BOB, "credit-score", recipient)
        assert standing is not None
        assert standing.state == "given"
