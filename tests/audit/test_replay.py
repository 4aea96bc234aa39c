"""The state that leaves amount to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.audit.replay import act_of
from consentkit.audit.replay import replay
from consentkit.core.act import Assurance
from consentkit.core.act import State
from consentkit.core.status import fold
from consentkit.log.leaf import read_leaf

from .builder import ALICE
from .builder import BOB
from .builder import NOTICE
from .builder import SCOPE
from .builder import START
from .builder import YEAR
from .builder import LogBuilder
from .builder import answer

SCORE = (ALICE, "credit-score", "acme-credit")


@pytest.mark.requirement("R46")
def test_a_grant_stands_with_all_that_it_covers() -> None:
    log = LogBuilder()
    record = log.choice(ALICE, answer(data=["contacts", "spending"]))

    row = replay(map(read_leaf, log.leaves))[SCORE]

    assert row.status.state is State.GIVEN
    assert row.status.data == {"contacts", "spending"}
    assert (row.status.until, row.status.scope) == (START + YEAR, SCOPE)
    assert (row.status.record, row.status.notice) == (record, NOTICE)
    assert row.status.assurance is Assurance.SESSION
    assert row.grant == read_leaf(log.leaves[-1]).hash.hex()
    assert row.seq == 0


@pytest.mark.requirement("R46", "R56")
def test_the_later_act_wins_and_other_questions_stay_as_they_are() -> None:
    log = LogBuilder()
    log.choice(ALICE, answer(), answer("refused", purpose="offers"))
    log.revocation(ALICE)
    log.choice(BOB)

    table = replay(map(read_leaf, log.leaves))

    assert {key: row.status.state for key, row in table.items()} == {
        SCORE: "withdrawn",
        (ALICE, "offers", "acme-credit"): "refused",
        (BOB, "credit-score", "acme-credit"): "given",
    }
    assert table[SCORE].seq == 1


@pytest.mark.requirement("R92")
def test_an_erased_person_has_no_state() -> None:
    log = LogBuilder()
    log.choice(ALICE)
    log.choice(BOB)
    log.erasure(ALICE)

    assert {key[0] for key in replay(map(read_leaf, log.leaves))} == {BOB}


def test_what_changes_no_state_is_passed_over() -> None:
    log = LogBuilder()
    record = log.choice(ALICE)
    before = replay(map(read_leaf, log.leaves))
    log.disclosure(record)
    log.denial(ALICE)
    log.denial(BOB)
    log.suspension("suspend")

    assert replay(map(read_leaf, log.leaves)) == before


@pytest.mark.requirement("R46")
@given(
    st.lists(
        st.tuples(
            st.sampled_from([ALICE, BOB]),
            st.sampled_from(["given", "renewed", "refused", "deferred", "withdrawn"]),
            st.sampled_from(["acme-credit", "shop"]),
        ),
        max_size=8,
    )
)
def test_the_table_agrees_with_the_fold_of_each_question(
    said: list[tuple[str, str, str]],
) -> None:
    log = LogBuilder(begin=False)
    for subject, state, recipient in said:
        act = log.revocation if state == "withdrawn" else log.choice
        act(subject, answer(state, recipient=recipient))
    leaves = [read_leaf(data) for data in log.leaves]

    table = replay(leaves)

    for subject in (ALICE, BOB):
        acts = [act_of(leaf) for leaf in leaves if leaf.subject == subject]
        for recipient in ("acme-credit", "shop"):
            row = table.get((subject, "credit-score", recipient))
            expected = fold(acts, purpose="credit-score", recipient=recipient)
            assert (row and row.status) == expected
