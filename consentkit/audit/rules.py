"""The consent rules that tie entries to each other, one small class each.

A rule sees every leaf once, in the order of the log, and says what is wrong with it:
nearly always nothing, so that is what has to be said fast. It keeps what it needs of
earlier leaves and nothing else. The numbers are those of ``consentkit.audit.verify``;
the rule on disclosures is in ``sharing``.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import Protocol

from consentkit.audit.columns import Column
from consentkit.audit.replay import ANSWERS
from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.seen import Keys
from consentkit.audit.seen import Mark
from consentkit.audit.standing import People
from consentkit.audit.standing import StandingAnswers
from consentkit.core.act import AUTHORISING
from consentkit.core.act import SPEAKS_FOR_THE_PERSON
from consentkit.core.act import Assurance
from consentkit.core.act import Channel
from consentkit.core.act import Kind
from consentkit.core.act import State
from consentkit.core.notice import Offer
from consentkit.log.leaf import Leaf

__all__ = [
    "MAX_DELAY_MS",
    "MAX_SKEW_MS",
    "Chains",
    "Notices",
    "Order",
    "Rule",
    "States",
    "Times",
    "Uniqueness",
    "fault",
]

MAX_DELAY_MS = 600_000
"""What a promise allows: a leaf waits ten minutes for its number at most."""

MAX_SKEW_MS = MAX_DELAY_MS
"""How far times may run back, and lie outside the window that witnesses leave."""

_WAYS_OF_THE_PERSON = frozenset({Channel.WEB, Channel.API})
_EARLIER = 2**32 - 1  # in place of an entry: the largest number that has room
_ENDED = frozenset({State.REFUSED, State.WITHDRAWN, State.REVOKED, State.INVALIDATED})


class Rule(Protocol):
    """One rule over the entries of a log."""

    def check(self, index: int, leaf: Leaf) -> Iterable[Finding]:
        """What is wrong with the leaf at ``index``, given those before it.

        A sequence if it is asked of every leaf: a generator costs more.
        """


def fault(step: str, index: int, what: str) -> Finding:
    """A finding of the records layer."""
    return Finding(Layer.RECORDS, step, index, what)


class Order:
    """4. order: a log begins with its only genesis, and ends with its closure."""

    def __init__(self) -> None:
        self._closed_at: int | None = None

    def check(self, index: int, leaf: Leaf) -> Iterable[Finding]:
        """See ``Rule.check``."""
        kind, found = leaf.body["kind"], []
        if (kind == Kind.GENESIS) != (index == 0):
            found.append(
                fault("order", index, f"expected the genesis at 0, got {kind}")
            )
        if self._closed_at is not None:
            what = f"the log was closed by entry {self._closed_at}"
            found.append(fault("order", index, what))
        elif kind == Kind.CLOSURE:
            self._closed_at = index
        return found


class Uniqueness:
    """5. unique: no id and no challenge is used twice."""

    def __init__(self) -> None:
        self._mark = Mark()
        self._ids = Keys()
        self._challenges = Keys()

    def check(self, index: int, leaf: Leaf) -> Iterable[Finding]:
        """See ``Rule.check``."""
        body, found = leaf.body, []
        if not self._ids.add(bytes.fromhex(body["id"])):
            what = f"the id {body['id']} was used before"
            found.append(fault("unique", index, what))
        challenge = body.get("challenge")
        if challenge and not self._challenges.add(self._mark.key(challenge.encode())):
            what = f"the challenge {challenge} was used before"
            found.append(fault("unique", index, what))
        return found


class Chains:
    """6. chain: one subject's leaves follow each other without a gap, until erased."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._mark = Mark()
        self._start = self._mark.number(b"")
        self._due = Column()  # the next seq
        self._ends = array("q")  # a mark of the hash that prev has to be
        self._erased = Column()  # the entry that did, 0 for none

    def check(self, index: int, leaf: Leaf) -> Iterable[Finding]:
        """See ``Rule.check``."""
        body = leaf.body
        if "subject" not in body:
            return ()
        found = []
        seq, person = body["seq"], self._people.number(body["subject"])
        while person >= len(self._ends):
            self._ends.append(self._start)
        erased, due = self._erased[person], self._due[person]
        if erased:
            found.append(fault("chain", index, _erased_by(erased)))
        if seq != due:
            what = f"expected seq {due}, got {seq}"
            found.append(fault("chain", index, what))
        elif self._mark.number(bytes.fromhex(body["prev"])) != self._ends[person]:
            what = f"prev is not the hash of the subject's leaf with seq {due - 1}"
            found.append(fault("chain", index, what))
        self._due[person] = seq + 1
        self._ends[person] = self._mark.number(leaf.hash)
        if body["kind"] == Kind.ERASURE and not erased:
            self._erased[person] = index
        return found

    def succeed(self) -> None:
        """Go on with the log that follows: chains begin anew, but of nobody erased."""
        self._due = Column()
        self._ends = array("q", [self._start]) * len(self._ends)
        for person in range(len(self._erased)):
            if self._erased[person]:
                self._erased[person] = _EARLIER


def _erased_by(entry: int) -> str:
    where = "in an earlier log" if entry == _EARLIER else f"by entry {entry}"
    return f"the subject was erased {where}"


class Times:
    """7. time: times do not run back by more than ``MAX_SKEW_MS``."""

    def __init__(self) -> None:
        self._latest = 0

    @property
    def latest(self) -> int:
        """The latest time that an entry has had so far."""
        return self._latest

    def check(self, index: int, leaf: Leaf) -> Iterable[Finding]:
        """See ``Rule.check``."""
        time = leaf.time
        behind = self._latest - time
        if behind <= 0:
            self._latest = time
        if behind <= MAX_SKEW_MS:
            return ()
        what = f"its time is {behind} ms before an earlier entry's"
        return [fault("time", index, f"{what}; {MAX_SKEW_MS} ms are allowed")]


class Notices:
    """8. notice: a choice names a notice logged before it, and lies within its offers.

    A grant takes all the data that the notice called needed, and none that it did
    not mention.
    """

    kinds = frozenset({Kind.NOTICE, Kind.CHOICE})

    def __init__(self) -> None:
        self._offers: dict[str, dict[tuple[str, str], Offer]] = {}

    def check(self, index: int, leaf: Leaf) -> Iterable[Finding]:
        """See ``Rule.check``."""
        logs = leaf.body["kind"] == Kind.NOTICE
        wrong = self._log(leaf.body) if logs else self._compare(leaf.body)
        return [fault("notice", index, what) for what in wrong]

    def _log(self, body: Mapping[str, Any]) -> Iterator[str]:
        """What is wrong with a notice, whose offers are taken down."""
        offers = [Offer.from_dict(each) for each in body["offers"]]
        by_key = {offer.key: offer for offer in offers}
        if self._offers.setdefault(body["notice"], by_key) != by_key:
            yield "the same notice was logged before with other offers"

    def _compare(self, body: Mapping[str, Any]) -> Iterator[str]:
        """What is wrong with a choice, held against the notice that it names."""
        offered = self._offers.get(body["notice"])
        if offered is None:
            yield f"the notice {body['notice']} was not logged before"
            return
        for choice in body["choices"]:
            purpose, recipient = choice["purpose"], choice["recipient"]
            for what in _beyond(offered.get((purpose, recipient)), choice):
                yield f"{purpose} / {recipient}: {what}"


def _beyond(offer: Offer | None, choice: Mapping[str, Any]) -> Iterator[str]:
    """How a choice goes beyond what was offered."""
    if offer is None:
        yield "the notice did not ask this"
        return
    if choice["scope"] != offer.scope:
        yield "the scope is not the one in the notice"
    data = choice["data"]
    if choice["state"] in AUTHORISING and not offer.allows(data):
        if set(data) - set(offer.data):
            yield "it covers data that the notice did not ask for"
        else:
            yield "it leaves out data that the notice called needed"


class States:
    """9. state: who may say what, and what may follow what.

    A grant that nobody saw the person give is ``asserted``; it cannot undo a no
    (GDPR Art. 7(3)). That nobody else can withdraw for a person, the form of a leaf
    sees to (``consentkit.log.leaf_grammar``).
    """

    kinds = ANSWERS

    def __init__(self, table: StandingAnswers) -> None:
        self._table = table

    def check(self, index: int, leaf: Leaf) -> Iterable[Finding]:
        """See ``Rule.check``."""
        body = leaf.body
        return [
            fault("state", index, what)
            for choice in body["choices"]
            if choice["state"] in AUTHORISING
            for what in self._bad_grant(body, choice)
        ]

    def _bad_grant(
        self, body: Mapping[str, Any], choice: Mapping[str, Any]
    ) -> Iterator[str]:
        row = self._table.get(body["subject"], choice["purpose"], choice["recipient"])
        before = row.state if row else None
        renews = choice["state"] == State.RENEWED
        asserted = body["assurance"] == Assurance.ASSERTED
        seen = (
            body["channel"] in _WAYS_OF_THE_PERSON
            and body["actor"] in SPEAKS_FOR_THE_PERSON
        )
        if choice["until"] <= body["time"]:
            yield "the grant ends before it begins"
        if not asserted and not seen:
            yield "a grant not seen from the person can only be asserted"
        if asserted and before in _ENDED:
            yield f"an asserted grant cannot follow an answer that is {before}"
        if renews and before is None and not self._table.unknown_past:
            yield "nothing was there to renew"
