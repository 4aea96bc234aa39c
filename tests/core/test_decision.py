"""The gate: yes in exactly the rows where every condition holds, and no in all others.

``CONDITIONS`` is the rule in the order of its reasons, written down a second time and
independently of ``decide``; the table walks every combination of what can differ.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from typing import Any
from typing import NamedTuple
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.core.act import Assurance
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.decision import Decision
from consentkit.core.decision import Reason
from consentkit.core.decision import ShareRequest
from consentkit.core.decision import Standing
from consentkit.core.decision import decide
from consentkit.core.registry import Question
from consentkit.core.registry import Registry
from consentkit.core.status import Status
from consentkit.core.vocabulary import DataCategory
from consentkit.core.vocabulary import Relation
from tests.declared import ABROAD
from tests.declared import CITY
from tests.declared import CREDIT
from tests.declared import SCORE
from tests.declared import SHOP
from tests.declared import SPENDING
from tests.declared import registry

from .acts import NOW
from .acts import RECORD
from .acts import YEAR
from .acts import status

NOT_FOR_THIS_GATE = {
    Reason.GUARDIAN_REAFFIRMATION_NEEDED,
    Reason.PROHIBITED_FOR_MINORS,
    Reason.OPT_OUT_SIGNAL,
}
"""Reasons about a person's age, of which ``decide`` is told nothing, and about their
browser, which the table leaves out: every row of it is heard with a signal below."""

OTHER_SCOPE = "6" * 64
GRANTED = frozenset({"spending", "contacts"})
"""What the person agreed to; contacts are no longer part of the declaration."""

REQUESTS: dict[str, frozenset[str] | None] = {
    "everything declared": None,
    "what was granted": frozenset({"spending"}),
    "more than was granted": frozenset({"spending", "city"}),
    "something else": frozenset({"photos"}),
    "granted but no longer declared": frozenset({"contacts"}),
    "nothing": frozenset(),
}


def questions(**changes: Any) -> dict[tuple[bool, bool], Question]:
    """The question about the score, by (recipient active, recipient abroad)."""
    found = {}
    for active, recipient in itertools.product([True, False], [CREDIT, ABROAD]):
        party = replace(recipient, active=active)
        purpose = replace(SCORE, data=[SPENDING], recipients=[party], **changes)
        asked = registry(purposes=[purpose]).question("credit-score", party.id)
        assert asked is not None
        found[active, recipient is ABROAD] = asked
    return found


QUESTIONS = questions()
QUESTIONS_FOR_MORE = questions(data_for={}) | {
    key: replace(question, items=SCORE.items) for key, question in QUESTIONS.items()
}


class Row(NamedTuple):
    """Everything that a decision may depend on."""

    state: State | None
    ends_in: int
    same_scope: bool
    asked_for: str
    wide: bool
    active: bool
    suspended: bool
    abroad: bool
    transfer: str
    assurance: Assurance
    minimum: Assurance

    @property
    def question(self) -> Question:
        asked = QUESTIONS_FOR_MORE if self.wide else QUESTIONS
        return asked[self.active, self.abroad]

    @property
    def wanted(self) -> frozenset[str]:
        request = REQUESTS[self.asked_for]
        return frozenset(self.question.data) if request is None else request

    def decide(self, *, signal: bool = False, despite: bool = False) -> Decision:
        question = self.question
        request = ShareRequest(
            "anna",
            "credit-score",
            question.recipient_id,
            data=REQUESTS[self.asked_for],
            min_assurance=self.minimum,
            signal=signal,
        )
        standing = Standing(
            status=self._status(question.scope),
            transfer=transfer_status(self.transfer, question.transfer_scope, self),
            suspended=self.suspended,
            despite_signal=despite,
        )
        return decide(request, question, standing, now=NOW)

    def _status(self, scope: str) -> Status | None:
        if self.state is None:
            return None
        return status(
            self.state,
            data=GRANTED,
            until=Millis(NOW + self.ends_in),
            scope=scope if self.same_scope else OTHER_SCOPE,
            assurance=self.assurance,
        )


TRANSFERS: dict[str, dict[str, Any] | None] = {
    "never asked": None,
    "given": {},
    "refused": {"state": State.REFUSED},
    "withdrawn": {"state": State.WITHDRAWN},
    "just expired": {"until": NOW},
    "to another country": {"scope": OTHER_SCOPE},
    "of other data": {"data": frozenset({"contacts"})},
    "said by the operator": {"assurance": Assurance.ASSERTED},
}


def transfer_status(name: str, scope: str, row: Row) -> Status | None:
    fields = TRANSFERS[name]
    if fields is None:
        return None
    given_as_well = {"scope": scope, "assurance": row.assurance, "data": GRANTED}
    return status(**{**given_as_well, **fields})


def transfer_holds(row: Row) -> bool:
    asserted_is_enough = row.minimum is Assurance.ASSERTED
    return row.transfer == "given" or (
        row.transfer == "said by the operator" and asserted_is_enough
    )


RANKS = ["asserted", "session", "confirmed", "signed"]
CONDITIONS: list[tuple[Callable[[Row], bool], Callable[[Row], Reason]]] = [
    (lambda row: row.active, lambda _: Reason.RECIPIENT_INACTIVE),
    (lambda row: not row.suspended, lambda _: Reason.SUSPENDED),
    (
        lambda row: row.state not in (None, State.REQUESTED),
        lambda _: Reason.NOT_ASKED,
    ),
    (
        lambda row: row.state in (State.GIVEN, State.RENEWED),
        lambda row: Reason(str(row.state)),
    ),
    (lambda row: row.ends_in > 0, lambda _: Reason.EXPIRED),
    (
        lambda row: RANKS.index(row.assurance) >= RANKS.index(row.minimum),
        lambda _: Reason.NOT_ASKED,
    ),
    (lambda row: row.same_scope, lambda _: Reason.SCOPE_CHANGED),
    (lambda row: row.wanted == {"spending"}, lambda _: Reason.DATA_NOT_COVERED),
    (
        lambda row: not row.abroad or transfer_holds(row),
        lambda _: Reason.CROSS_BORDER_CONSENT_MISSING,
    ),
]


def rows() -> Iterator[Row]:
    """Every combination; where nothing is abroad a transfer can only be there or not.

    Assurance pairs are walked for the asserted and the session level in full and at
    the ends of the order, where a mistake in it would show.
    """
    levels = [
        *itertools.product([Assurance.ASSERTED, Assurance.SESSION], repeat=2),
        (Assurance.SIGNED, Assurance.CONFIRMED),
        (Assurance.CONFIRMED, Assurance.SIGNED),
    ]
    abroad = [(True, name) for name in TRANSFERS]
    for *own, far, level in itertools.product(
        [None, *State],
        [-1, 0, 1],  # how many milliseconds the grant still holds
        [True, False],
        REQUESTS,
        [False, True],
        [True, False],
        [False, True],
        [(False, "never asked"), (False, "given"), *abroad],
        levels,
    ):
        yield Row._make([*own, *far, *level])


def expected(row: Row) -> Reason:
    for holds, reason in CONDITIONS:
        if not holds(row):
            return reason(row)
    return Reason.GRANTED


@pytest.mark.requirement("R35", "R62", "R64", "R65", "R66", "R71", "R86")
def test_the_table_is_total_and_says_yes_where_every_condition_holds() -> None:
    reasons: Counter[Reason] = Counter()
    for row in rows():
        decision = row.decide()
        reasons[decision.reason] += 1
        assert decision.reason is expected(row), row
        assert bool(decision) is all(holds(row) for holds, _ in CONDITIONS), row
        assert decision.data == (row.wanted if decision else frozenset()), row

    assert reasons.total() == 10 * 3 * 2 * 6 * 2 * 2 * 2 * 10 * 6
    undeclared = {Reason.PURPOSE_UNKNOWN, Reason.RECIPIENT_UNKNOWN}
    unanswered = {Reason.STORE_UNAVAILABLE}
    assert set(reasons) == set(Reason) - NOT_FOR_THIS_GATE - undeclared - unanswered


EVERY = 7  # rows apart; no factor of the table's, so that all values come up


@pytest.mark.requirement("R106")
def test_a_signal_only_ever_narrows() -> None:
    """It beats every yes but one given in its face, and turns no deny into an allow."""
    heard: Counter[bool] = Counter()
    for row in itertools.islice(rows(), 0, None, EVERY):
        plain, signalled = row.decide(), row.decide(signal=True)
        unheard = {Reason.RECIPIENT_INACTIVE, Reason.SUSPENDED}
        if plain.reason in unheard:
            assert signalled == plain, row
        else:
            assert signalled.reason is Reason.OPT_OUT_SIGNAL, row
        assert row.decide(signal=True, despite=True) == plain, row
        assert row.decide(despite=True) == plain, row
        heard[bool(plain)] += 1
    assert heard[True]
    assert heard[False]


COVERED = {
    "a recipient of its own": ({}, {}, True),
    "a joint controller": ({"role": "joint-controller"}, {}, True),
    "a processor": ({"role": "processor"}, {}, False),
    "what the law sees no sale in": ({}, {"opt_out_signal": False}, False),
}


@pytest.mark.requirement("R106")
@pytest.mark.parametrize(("party", "asked", "covered"), COVERED.values(), ids=COVERED)
def test_a_signal_is_about_shares_and_not_about_processors(
    party: dict[str, Any], asked: dict[str, Any], *, covered: bool
) -> None:
    for relation in get_args(Relation):
        recipient = replace(CREDIT, relation=relation, **party)
        purpose = replace(
            SCORE, data=[SPENDING], recipients=[recipient], own_use=True, **asked
        )
        own, question = registry(purposes=[purpose]).questions("credit-score")
        agreed = Standing(given_with(scope=question.scope))
        request = asking(signal=True)

        assert question.covered_by_signal is covered
        assert not own.covered_by_signal
        assert bool(decide(request, question, agreed, now=NOW)) is not covered


QUESTION = QUESTIONS[True, False]


def asking(**changes: Any) -> ShareRequest:
    key = {"subject": "anna", "purpose": "credit-score", "recipient": "acme-credit"}
    return ShareRequest(**{**key, **changes})


def given_with(**changes: Any) -> Status:
    return status(**{"scope": QUESTION.scope, **changes})


REQUEST = asking()
GIVEN = given_with()


def answer(standing: Status | None = GIVEN, **request: Any) -> Decision:
    return decide(asking(**request), QUESTION, Standing(standing), now=NOW)


@pytest.mark.requirement("R62", "R65", "R69")
def test_what_is_not_declared_is_denied_whatever_was_answered() -> None:
    for known, reason in [
        (True, Reason.RECIPIENT_UNKNOWN),
        (False, Reason.PURPOSE_UNKNOWN),
    ]:
        decision = decide(REQUEST, None, Standing(GIVEN), now=NOW, purpose_known=known)
        assert decision.reason is reason
        assert not decision


@pytest.mark.requirement("R62")
def test_a_store_that_did_not_answer_means_no() -> None:
    decision = decide(REQUEST, QUESTION, None, now=NOW)

    assert decision.reason is Reason.STORE_UNAVAILABLE
    assert not decision


def test_the_spelling_of_the_reasons_is_for_ever() -> None:
    assert {str(reason) for reason in Reason} == {
        *("granted", "not_asked", "refused", "deferred", "withdrawn", "revoked"),
        *("invalidated", "expired", "data_not_covered", "scope_changed"),
        *("cross_border_consent_missing", "guardian_reaffirmation_needed"),
        *("prohibited_for_minors", "opt_out_signal", "purpose_unknown"),
        *("recipient_unknown", "recipient_inactive", "suspended"),
        "store_unavailable",
    }


@pytest.mark.requirement("R71")
def test_to_agree_to_a_transfer_alone_authorises_nothing() -> None:
    _, transfer = registry().questions("night-help")
    agreed = status(data=frozenset({"messages"}), scope=transfer.scope)
    request = ShareRequest("anna", "night-help.cross-border", "night-desk")

    decision = decide(
        request, transfer, Standing(agreed, agreed), now=NOW, purpose_known=False
    )

    assert decision.reason is Reason.PURPOSE_UNKNOWN


@pytest.mark.requirement("R64")
def test_a_denial_names_the_data_that_is_not_covered() -> None:
    decision = answer(data=frozenset({"spending", "city", "photos"}))

    assert decision.reason is Reason.DATA_NOT_COVERED
    assert decision.missing == {"city", "photos"}
    assert decision.data == frozenset()


def test_a_yes_says_what_it_rests_on_and_until_when() -> None:
    decision = answer()

    assert (decision.purpose, decision.recipient) == ("credit-score", "acme-credit")
    assert (decision.record, decision.missing) == (RECORD, frozenset())
    assert decision.until_ms == NOW + YEAR
    assert decision.until == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_no_says_what_it_was_asked_as_a_yes_does() -> None:
    for said in (answer(None), answer(data=frozenset({"photos"})), answer()):
        assert (said.purpose, said.recipient) == ("credit-score", "acme-credit")


def test_an_undeclared_question_is_the_recipients_fault_unless_told_otherwise() -> None:
    decision = decide(REQUEST, None, Standing(GIVEN), now=NOW)

    assert decision.reason is Reason.RECIPIENT_UNKNOWN


def test_a_no_has_no_end_and_no_record() -> None:
    decision = answer(None)

    assert (decision.until, decision.record) == (None, "")


@pytest.mark.requirement("R71")
def test_a_yes_abroad_ends_with_the_first_of_its_two_grants() -> None:
    question = QUESTIONS[True, True]
    share = status(scope=question.scope)
    for until, end in [(NOW + 5, NOW + 5), (NOW + 2 * YEAR, NOW + YEAR)]:
        transfer = status(scope=question.transfer_scope, until=Millis(until))
        decision = decide(REQUEST, question, Standing(share, transfer), now=NOW)
        assert decision.until_ms == end


@pytest.mark.parametrize(
    ("millis", "iso"),
    [
        (1_767_225_600_123, "2026-01-01T00:00:00.123000+00:00"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999000+00:00"),
        (2**53 - 1, "9999-12-31T23:59:59.999000+00:00"),
    ],
)
def test_an_end_is_exact_to_the_millisecond_as_far_as_the_calendar_goes(
    millis: int, iso: str
) -> None:
    decision = answer(given_with(until=Millis(millis)))

    assert decision.until is not None
    assert decision.until.isoformat() == iso


def test_a_session_is_the_least_that_a_share_asks_for() -> None:
    assert REQUEST.min_assurance is Assurance.SESSION
    asserted = given_with(assurance=Assurance.ASSERTED)
    assert answer(asserted).reason is Reason.NOT_ASKED


@pytest.mark.requirement("R86")
def test_a_grant_ends_at_its_instant() -> None:
    ends = given_with(until=Millis(NOW + 10))
    reasons = [
        decide(REQUEST, QUESTION, Standing(ends), now=Millis(NOW + ms)).reason
        for ms in (9, 10, 11)
    ]

    assert reasons == [Reason.GRANTED, Reason.EXPIRED, Reason.EXPIRED]


@pytest.mark.requirement("R88")
def test_a_later_declaration_neither_widens_nor_extends_an_old_grant() -> None:
    wider = replace(
        SCORE, data=[SPENDING, CITY], recipients=[CREDIT, SHOP], valid_for=None
    )
    later = registry(purposes=[wider])
    asked = later.question("credit-score", "acme-credit")
    old = Standing(GIVEN)

    assert asked is not None
    same = decide(asking(data=frozenset({"spending"})), asked, old, now=NOW)
    assert (same.reason, same.until_ms) == (Reason.GRANTED, GIVEN.until)
    assert decide(REQUEST, asked, old, now=NOW).missing == {"city"}
    shop = later.question("credit-score", "corner-shops")
    to_shop = asking(recipient="corner-shops")
    assert decide(to_shop, shop, Standing(), now=NOW).reason is Reason.NOT_ASKED


@pytest.mark.requirement("R70", "R87")
def test_a_recipient_whose_role_or_relation_changed_needs_a_new_answer() -> None:
    for changed in (
        replace(CREDIT, role="processor"),
        replace(CREDIT, relation="partner"),
        replace(CREDIT, name="Acme Scores Ltd"),
    ):
        purpose = replace(SCORE, recipients=[changed])
        asked = registry(purposes=[purpose]).question("credit-score", changed.id)
        decision = decide(REQUEST, asked, Standing(GIVEN), now=NOW)
        assert decision.reason is Reason.SCOPE_CHANGED


CATEGORIES = [
    DataCategory(name, title=name)
    for name in ("city", "contacts", "photos", "spending")
]
SUBSETS = st.sets(st.sampled_from([each.id for each in CATEGORIES]))
RELATIONS: list[Relation] = ["own", "affiliate", "partner", "supplier", "public-body"]
ANSWERS = st.none() | st.fixed_dictionaries(
    {
        "state": st.sampled_from([State.GIVEN, *State]),
        "data": SUBSETS.map(frozenset),
        "until": st.sampled_from([NOW - 1, NOW, NOW + 1, NOW + YEAR]).map(Millis),
        "scope": st.sampled_from(["share", "transfer", OTHER_SCOPE]),
        "assurance": st.sampled_from(Assurance),
    }
)
CASES = {
    "share": ANSWERS,
    "transfer": ANSWERS,
    "suspended": st.booleans(),
    "active": st.booleans(),
    "country": st.sampled_from(["GB", "US"]),
    "declared": SUBSETS.filter(bool),
    "wanted": st.none() | SUBSETS.map(frozenset),
    "minimum": st.sampled_from(Assurance),
}


def related(relation: Relation, case: dict[str, Any]) -> Registry:
    party = replace(
        CREDIT, relation=relation, active=case["active"], country=case["country"]
    )
    data = [each for each in CATEGORIES if each.id in case["declared"]]
    return registry(purposes=[replace(SCORE, data=data, recipients=[party])])


def judge(relation: Relation, case: dict[str, Any], agreed_as: Relation) -> Decision:
    """The decision about a recipient of ``relation`` that was ``agreed_as`` another."""
    then = related(agreed_as, case).question("credit-score", "acme-credit")
    asked = related(relation, case).question("credit-score", "acme-credit")
    assert then is not None
    scopes = {"share": then.scope, "transfer": then.transfer_scope}
    share, transfer = (
        status(**{**fields, "scope": scopes.get(fields["scope"], fields["scope"])})
        if fields
        else None
        for fields in (case["share"], case["transfer"])
    )
    request = asking(data=case["wanted"], min_assurance=case["minimum"])
    standing = Standing(share, transfer, suspended=case["suspended"])
    return decide(request, asked, standing, now=NOW)


@pytest.mark.requirement("R4", "R63")
@given(st.fixed_dictionaries(CASES))
def test_no_relation_turns_a_no_into_a_yes(case: dict[str, Any]) -> None:
    asked_about_a_partner = judge("partner", case, agreed_as="partner")
    for relation in RELATIONS:
        assert judge(relation, case, agreed_as=relation) == asked_about_a_partner
        if relation != "partner":
            assert not judge(relation, case, agreed_as="partner")


@pytest.mark.requirement("R64")
@given(st.fixed_dictionaries(CASES))
def test_what_may_leave_was_agreed_to_asked_for_and_declared(
    case: dict[str, Any],
) -> None:
    decision = judge("affiliate", case, agreed_as="affiliate")

    assert bool(decision) is bool(decision.data)
    agreed = case["share"]["data"] if case["share"] else frozenset()
    assert decision.data <= agreed & case["declared"]
    if decision and case["wanted"] is not None:
        assert decision.data == case["wanted"]
    if decision and case["country"] != "GB":
        assert decision.data <= case["transfer"]["data"]
