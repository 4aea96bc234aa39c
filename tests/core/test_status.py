"""Where a person stands: the last act counts, and a grant ends at its instant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.core.act import AUTHORISING
from consentkit.core.act import Act
from consentkit.core.act import Actor
from consentkit.core.act import Assurance
from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.status import Status
from consentkit.core.status import fold
from consentkit.core.status import status_of

from .acts import NOTICE
from .acts import NOW
from .acts import RECORD
from .acts import SCOPE
from .acts import YEAR
from .acts import act
from .acts import choice
from .acts import ending
from .acts import status


def score(*acts: Act) -> Status | None:
    return fold(acts, purpose="credit-score", recipient="acme-credit")


@pytest.mark.requirement("R86")
@pytest.mark.parametrize("state", sorted(AUTHORISING))
def test_a_grant_holds_until_just_before_its_end_and_not_at_it(state: State) -> None:
    standing = status(state, until=Millis(NOW + 1_000))

    assert [standing.at(Millis(NOW + ms)) for ms in (999, 1_000, 1_001)] == [
        *(state, State.EXPIRED, State.EXPIRED)
    ]
    assert [standing.authorises(Millis(NOW + ms)) for ms in (0, 999, 1_000)] == [
        *(True, True, False)
    ]


@pytest.mark.requirement("R35", "R90")
@pytest.mark.parametrize("state", sorted(set(State) - AUTHORISING))
def test_no_other_state_authorises_or_changes_with_time(state: State) -> None:
    for until in (0, NOW, NOW + YEAR):
        standing = status(state, until=Millis(until))
        for now in (0, NOW - 1, NOW, NOW + 2 * YEAR):
            assert not standing.authorises(Millis(now))
            assert standing.at(Millis(now)) is state


def test_a_status_says_what_it_rests_on() -> None:
    renewed = choice(State.RENEWED, data=("city", "spending"))

    assert status_of(act(renewed, assurance=Assurance.CONFIRMED), renewed) == Status(
        state=State.RENEWED,
        data=frozenset({"city", "spending"}),
        until=Millis(NOW + YEAR),
        scope=SCOPE,
        assurance=Assurance.CONFIRMED,
        record=RECORD,
        since=NOW,
        notice=NOTICE,
    )


@pytest.mark.requirement("R63")
def test_an_answer_about_one_question_says_nothing_about_another() -> None:
    given_to_acme = act(choice())

    assert score(given_to_acme) is not None
    for purpose, recipient in [
        ("credit-score", "corner-shops"),
        ("credit-score", "controller"),
        ("shop-offers", "acme-credit"),
        ("credit-score.cross-border", "acme-credit"),
    ]:
        assert fold([given_to_acme], purpose=purpose, recipient=recipient) is None


def test_before_the_first_act_there_is_no_status() -> None:
    assert score() is None


@pytest.mark.requirement("R36")
@pytest.mark.parametrize("state", [State.REFUSED, State.DEFERRED, State.REQUESTED])
def test_a_no_is_a_status_and_not_the_absence_of_one(state: State) -> None:
    standing = score(act(choice(state)))

    assert standing is not None
    assert (standing.state, standing.record, standing.notice) == (state, RECORD, NOTICE)


@pytest.mark.requirement("R56")
def test_a_withdrawal_ends_a_grant_and_a_new_yes_begins_another() -> None:
    first = act(choice(), seq=0)
    stopped = ending(State.WITHDRAWN, Actor.SUBJECT, seq=1)
    again = act(choice(State.RENEWED), seq=2)

    for acts, state in [
        ([first], State.GIVEN),
        ([first, stopped], State.WITHDRAWN),
        ([first, stopped, again], State.RENEWED),
    ]:
        standing = score(*acts)
        assert standing is not None
        assert standing.state is state


def _act(seq: int, state: State, time: int) -> Act:
    kind = Kind.REVOCATION if state is State.WITHDRAWN else Kind.CHOICE
    return act(choice(state), kind=kind, seq=seq, time=Millis(time), id=f"{seq:032x}")


HISTORIES = st.lists(
    st.tuples(
        st.sampled_from([State.GIVEN, State.REFUSED, State.WITHDRAWN, State.RENEWED]),
        st.integers(0, NOW),
    ),
    min_size=1,
    max_size=8,
).map(lambda said: [_act(seq, state, time) for seq, (state, time) in enumerate(said)])


@pytest.mark.requirement("R46", "R119")
@given(HISTORIES.flatmap(lambda acts: st.tuples(st.just(acts), st.permutations(acts))))
def test_the_last_act_by_seq_counts_whatever_the_clock_or_the_order_says(
    case: tuple[list[Act], list[Act]],
) -> None:
    acts, shuffled = case
    standing = score(*shuffled)

    assert standing == score(*acts) == status_of(acts[-1], acts[-1].choices[0])


def test_a_status_gives_back_the_choice_that_it_rests_on() -> None:
    for said in (choice(data=("city", "spending")), choice(State.REFUSED)):
        standing = status_of(act(said), said)

        assert standing.choice(said.key) == said


def test_one_question_is_found_among_the_choices_of_one_act() -> None:
    offers = choice(State.REFUSED, purpose="shop-offers")

    standing = fold(
        [act(choice(), offers)], purpose="shop-offers", recipient="acme-credit"
    )

    assert standing is not None
    assert standing.state is State.REFUSED


def test_of_two_acts_with_one_seq_the_first_to_come_counts() -> None:
    """No log holds such a pair, and a reader has to say something."""
    said = [act(choice()), act(choice(State.REFUSED))]

    assert score(*said) == status_of(said[0], choice())
