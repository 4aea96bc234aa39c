"""Every door of the gate gives the same answer, whatever happened to whom."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck
from hypothesis import event
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from consentkit.audit.replay import act_of
from consentkit.core.act import Millis
from consentkit.core.age import CHILDHOOD
from consentkit.core.age import prohibition_of
from consentkit.core.decision import ShareRequest
from consentkit.core.decision import Standing
from consentkit.core.decision import decide
from consentkit.core.registry import CROSS_BORDER
from consentkit.core.registry import Registry
from consentkit.core.status import fold
from consentkit.service.ages import Ages
from consentkit.service.checking import check
from consentkit.service.checking_many import check_many
from consentkit.service.selecting import minors_of
from consentkit.service.suspending import resume
from consentkit.service.suspending import suspend
from consentkit.store.clause import allowed
from tests.declared import ABROAD
from tests.declared import CREDIT
from tests.declared import NIGHT_HELP
from tests.declared import OFFERS
from tests.declared import PURPOSES
from tests.declared import SCORE
from tests.declared import WALLET
from tests.service.differing import PEOPLE
from tests.service.differing import Ask
from tests.service.differing import Naive
from tests.service.differing import Said
from tests.service.differing import mostly
from tests.service.differing import stories
from tests.service.differing import write
from tests.service.officials import OFFICER
from tests.service.wallet import DAY
from tests.service.wallet import NEW_YEAR
from tests.service.wallet import NIGHT
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.core.decision import Decision
    from consentkit.core.registry import Question
    from consentkit.service.installation import Installation

ENGINES = ("sqlite", "postgresql")

APP = sa.MetaData()
# Each person has one of three kinds of id: in the two other columns they are NULL.
PERSON = sa.Table(
    "app_person",
    APP,
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(40)),
    sa.Column("number", sa.BigInteger),
    sa.Column("token", sa.Uuid),
)
COLUMNS = (PERSON.c.name, PERSON.c.number, PERSON.c.token)
NUMBERS = itertools.count(1)

_RESTING = [
    replace(SCORE, recipients=[replace(CREDIT, active=False)]),
    replace(NIGHT_HELP, recipients=[replace(ABROAD, active=False)]),
    OFFERS,
]
_CHANGED = [replace(each, retention="P7Y") for each in PURPOSES[:2]] + [NIGHT_HELP]
_INDIA = Ages(CHILDHOOD, prohibition_of("IN"))
VARIANTS: dict[str, dict[str, Any]] = {
    "as declared": {},
    "some recipients rest": {"registry": Registry(WALLET, _RESTING)},
    "some purposes changed": {"registry": Registry(WALLET, _CHANGED)},
    "children are protected": {"ages": _INDIA},
    "whoever is unknown is protected": {"ages": replace(_INDIA, unknown="minor")},
}


@pytest.fixture
def app(wallet: Wallet) -> Wallet:
    """The wallet, with a table of the app's own people in the same database."""
    wallet.damaged = True  # acts that rest on a notice nobody was shown
    APP.create_all(wallet.installation.database.engine)
    return wallet


def move_in(app: Wallet, ids: tuple[Any, ...], of_age: list[int | None]) -> list[str]:
    """These people in place of those before, and their subject ids."""
    subjects = [str(each) for each in ids]
    rows = [
        {"row": row, column.name: id_}
        for row, (column, id_) in enumerate(zip(COLUMNS, ids, strict=True))
    ]
    with app.installation.database.write() as connection:
        connection.execute(PERSON.delete())
        for row in rows:
            connection.execute(PERSON.insert(), row)
        for subject, at in zip(subjects, of_age, strict=True):
            if at is not None:
                connection.execute(
                    sa.text("INSERT INTO consent_coming_of_age VALUES (:who, :at)"),
                    {"who": subject, "at": at},
                )
    return subjects


def selected(app: Wallet, condition: sa.ColumnElement[bool]) -> set[int]:
    with app.installation.database.read() as connection:
        return set(connection.scalars(sa.select(PERSON.c.row).where(condition)))


_STOPS = st.one_of(
    st.none(),
    st.sampled_from([("credit-score", None), (None, "corner-shops"), NIGHT]),
)
_AGES = st.lists(
    mostly(None, st.integers(0, 15).map(lambda day: NEW_YEAR + day * DAY)),
    min_size=PEOPLE,
    max_size=PEOPLE,
)


@pytest.mark.requirement("R62", "R63", "R64", "R65", "R66", "R71", "R74", "R86", "R87")
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stories(), _AGES, _STOPS, mostly("as declared", st.sampled_from(sorted(VARIANTS)))
)
def test_all_ways_to_ask_agree_with_a_replay_of_the_leaves(
    app: Wallet,
    story: tuple[list[Said], list[Ask]],
    of_age: list[int | None],
    stop: tuple[str | None, str | None] | None,
    variant: str,
) -> None:
    history, asked = story
    number = next(NUMBERS)
    ids = (f"o'näme%_-{number}", -number, uuid.UUID(int=number << 64 | 0xABC))
    subjects = move_in(app, ids, of_age)
    if stop:
        suspend(app.installation, *stop, by=OFFICER)
    write(app, subjects, history)
    told = Told(app, subjects, of_age)
    installation = replace(app.installation, **VARIANTS[variant])
    for ask in asked:
        app.clock.now = NEW_YEAR + ask.day * DAY
        told.compare(installation, ask, protects_unknown="unknown" in variant)
    if stop:
        resume(app.installation, *stop, by=OFFICER)


class Told:
    """What the leaves of one example say, in two ways, and the comparison."""

    def __init__(
        self, app: Wallet, subjects: list[str], of_age: list[int | None]
    ) -> None:
        self.app, self.subjects, self.of_age = app, subjects, of_age
        leaves = app.leaves()
        people = [app.installation.history.person(each) for each in subjects]
        self.handles = [person.handle if person else "" for person in people]
        self.naive = Naive()
        self.naive.read(leaves)
        self.acts = {
            handle: [
                act_of(leaf)
                for leaf in leaves
                if leaf.subject == handle and "choices" in leaf.body
            ]
            for handle in self.handles
        }

    def compare(
        self, installation: Installation, ask: Ask, *, protects_unknown: bool
    ) -> None:
        question = installation.registry.question(*ask.key)
        assert question
        expected = []
        for handle, noted in zip(self.handles, self.of_age, strict=True):
            child = protects_unknown if noted is None else self.app.clock.now < noted
            protected = installation.ages.prohibition and ask.key[0] == "shop-offers"
            expected.append(
                self.naive.allows(
                    handle,
                    ask,
                    question,
                    of_age=noted,
                    forbidden=bool(protected) and child,
                )
            )
        event(f"{sum(expected)} of {PEOPLE} allowed")
        requests = [
            ShareRequest(subject, *ask.key, ask.data, ask.least)
            for subject in self.subjects
        ]
        single = [check(installation, each) for each in requests]
        assert [bool(each) for each in single] == expected
        assert check_many(installation, requests) == single
        if installation.ages.prohibition is None:
            assert list(self.decided(requests, question)) == single
        for row, column in enumerate(COLUMNS):
            clause = allowed(
                column,
                question,
                data=ask.data,
                min_assurance=ask.least,
                minors=minors_of(installation.ages, question.purpose),
                now=installation.clock,
                dialect=installation.database.engine.dialect.name,
            )
            yes = {row} if expected[row] else set()
            assert selected(self.app, clause) == yes
            assert selected(self.app, ~clause) == set(range(PEOPLE)) - yes

    def decided(
        self, requests: list[ShareRequest], question: Question
    ) -> Iterator[Decision]:
        """By the rule of ``core``, on the fold of the acts."""
        for request, handle, noted in zip(
            requests, self.handles, self.of_age, strict=True
        ):
            purpose, recipient = key = question.key
            acts, around = (
                self.acts[handle],
                {(a, b) for a in ("", key[0]) for b in ("", key[1])},
            )
            transfer = fold(acts, purpose=purpose + CROSS_BORDER, recipient=recipient)
            standing = Standing(
                fold(acts, purpose=purpose, recipient=recipient),
                transfer,
                bool(self.naive.stops & around),
                of_age=None if noted is None else Millis(noted),
            )
            now = self.app.installation.clock()
            yield decide(request, question, standing, now=now)
