"""Histories of a few people, and what they amount to, told from the leaves alone.

``Naive`` knows the bodies of leaves and nothing of our rule: it says again, in its own
words, what a yes is.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from hypothesis import strategies as st

from consentkit.audit.replay import act_of
from consentkit.core.act import AUTHORISING
from consentkit.core.act import STATES_OF
from consentkit.core.act import Assurance
from consentkit.core.act import Kind
from consentkit.core.act import State
from consentkit.core.registry import Question
from consentkit.core.status import status_of
from consentkit.log.leaf import Leaf
from consentkit.service.recording import PersonRecorder
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import NEW_YEAR
from tests.service.wallet import NIGHT
from tests.service.wallet import OWN_OFFERS
from tests.service.wallet import SHOPS
from tests.service.wallet import TRANSFER
from tests.service.wallet import Wallet

__all__ = ["PEOPLE", "Ask", "Naive", "Said", "mostly", "stories", "write"]

PEOPLE = 3
# Ids that contain, or are contained in, those that are declared.
_CATEGORIES = ("spending", "city", "messages", "spend", "city-x", "x-messages", "iban")
_LEVELS = ("asserted", "session", "confirmed", "signed")


@dataclass(frozen=True)
class Said:
    """One act on one day, of each person in turn.

    ``scope`` is whether it is to what is declared, ``days`` how long a yes holds.
    """

    key: tuple[str, str]
    state: State
    data: frozenset[str]
    scope: bool
    assurance: Assurance
    days: int


@dataclass(frozen=True)
class Ask:
    """May this be shared on that day?"""

    key: tuple[str, str]
    data: frozenset[str] | None
    least: Assurance
    day: int


_ALL = frozenset(_CATEGORIES)
_DATA = st.frozensets(st.sampled_from(_CATEGORIES), min_size=1, max_size=4)
_WANTED = st.sampled_from(
    [frozenset[str](), *(frozenset({each}) for each in _CATEGORIES)]
)
# What is asked about together, and a category that all of it is about.
_PURPOSES = (
    ((CREDIT_SCORE,), "spending"),
    ((SHOPS, OWN_OFFERS), "city"),
    ((NIGHT, TRANSFER, TRANSFER), "messages"),
)


def mostly(usual: Any, others: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Else hardly anything would ever be allowed."""
    return st.one_of(*[st.just(usual)] * 5, others)


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Said], list[Ask]]:
    """Acts about one purpose, and what is asked about it then."""
    keys, about = draw(st.sampled_from(_PURPOSES))
    said = st.builds(
        Said,
        key=st.sampled_from(keys),
        state=mostly(State.GIVEN, st.sampled_from(State)),
        data=mostly(_ALL, _DATA),
        scope=mostly(usual=True, others=st.booleans()),
        assurance=mostly(Assurance.SESSION, st.sampled_from(Assurance)),
        days=st.sampled_from([1, 4, 30, 30]),
    )
    ask = st.builds(
        Ask,
        key=st.sampled_from([key for key in keys if key != TRANSFER]),
        data=st.one_of(st.none(), st.just(frozenset({about})), _WANTED),
        least=mostly(Assurance.SESSION, st.sampled_from(Assurance)),
        day=st.integers(5, 12),
    )
    history = draw(st.lists(said, min_size=6, max_size=10))
    return history, draw(st.lists(ask, min_size=4, max_size=4))


def write(wallet: Wallet, subjects: list[str], history: list[Said]) -> None:
    """Have people say all that, one a day, as acts of any kind may say it."""
    installation = wallet.installation
    with installation.ledger.write() as transaction:
        for day, said in enumerate(history):
            wallet.clock.now = NEW_YEAR + day * DAY
            person = subjects[day % PEOPLE]
            recorder = PersonRecorder.lock(installation, transaction, person)
            leaf = recorder.append(_kind(said), _fields(wallet, said), evidence={})
            act = act_of(leaf)
            for choice in act.choices:
                status = status_of(act, choice)
                transaction.set_status(person, choice.key, status)


def _kind(said: Said) -> Kind:
    ending = said.state in STATES_OF[Kind.REVOCATION]
    return Kind.REVOCATION if ending else Kind.CHOICE


def _fields(wallet: Wallet, said: Said) -> dict[str, Any]:
    question = wallet.declared.question(*said.key)
    assert question
    grants = said.state in AUTHORISING
    choice = {
        "data": sorted(said.data) if grants else [],
        "purpose": said.key[0],
        "recipient": said.key[1],
        "scope": question.scope if said.scope else "0" * 64,
        "state": said.state.value,
        "until": wallet.clock.now + said.days * DAY if grants else 0,
    }
    fields = {
        "actor": "controller" if _ended_by_others(said.state) else "subject",
        "assurance": said.assurance.value,
        "challenge": secrets.token_hex(32),
        "channel": "web",
        "choices": [choice],
    }
    return fields | ({"notice": "a" * 64} if _kind(said) is Kind.CHOICE else {})


def _ended_by_others(state: State) -> bool:
    return state in STATES_OF[Kind.REVOCATION] and state is not State.WITHDRAWN


@dataclass
class Naive:
    """What leaves, read one after the other, amount to."""

    answers: dict[tuple[str, str, str], tuple[Mapping[str, Any], Mapping[str, Any]]] = (
        field(default_factory=dict)
    )
    stops: set[tuple[str, str]] = field(default_factory=set)

    def read(self, leaves: Iterable[Leaf]) -> None:
        for leaf in leaves:
            body = leaf.body
            for choice in body.get("choices", ()):
                key = body["subject"], choice["purpose"], choice["recipient"]
                self.answers[key] = choice, body
            if body["kind"] == "suspension":
                change = {"suspend": self.stops.add, "resume": self.stops.discard}
                change[body["action"]]((body["purpose"], body["recipient"]))

    def allows(
        self,
        handle: str,
        ask: Ask,
        question: Question,
        *,
        of_age: int | None,
        forbidden: bool,
    ) -> bool:
        purpose, recipient = ask.key
        wanted = set(question.data if ask.data is None else ask.data)
        needed = [(purpose, question.scope)]
        if question.recipient.country != "GB":
            needed.append((f"{purpose}.cross-border", question.transfer_scope))
        return (
            question.recipient.active
            and bool(wanted)
            and wanted <= set(question.data)
            and not forbidden
            and not self.stops
            & {(a, b) for a in ("", purpose) for b in ("", recipient)}
            and all(
                self._holds((handle, name, recipient), scope, wanted, ask, of_age)
                for name, scope in needed
            )
        )

    def _holds(
        self,
        key: tuple[str, str, str],
        scope: str,
        wanted: set[str],
        ask: Ask,
        of_age: int | None,
    ) -> bool:
        now = NEW_YEAR + ask.day * DAY
        choice, body = self.answers.get(key, ({"state": ""}, {}))
        return (
            choice["state"] in {"given", "renewed"}
            and now < choice["until"]
            and choice["scope"] == scope
            and _LEVELS.index(body["assurance"]) >= _LEVELS.index(ask.least)
            and wanted <= set(choice["data"])
            and not (of_age is not None and body["time"] < of_age <= now)
        )
