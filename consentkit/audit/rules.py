"""The consent rules that tie entries to each other, one small class each.

A rule sees every leaf once, in the order of the log, and yields what is wrong with
it. It keeps what it needs of earlier leaves and nothing else. The numbers are those
of ``consentkit.audit.verify``; the rule on disclosures is in ``sharing``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from consentkit.audit.replay import ANSWERS
from consentkit.audit.replay import StateTable
from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
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
_ENDED = frozenset({State.REFUSED, State.WITHDRAWN, State.REVOKED, State.INVALIDATED})
_DIGEST_BYTES = 16  # of a challenge: enough that no two are alike by chance or design


class Rule(Protocol):
    """One rule over the entries of a log."""

    def check(self, index: int, leaf: Leaf) -> Iterator[Finding]:
        """What is wrong with the leaf at ``index``, given those before it."""


def fault(step: str, index: int, what: str) -> Finding:
    """A finding of the records layer."""
    return Finding(Layer.RECORDS, step, index, what)


class Order:
    """4. order: a log begins with its only genesis, and ends with its closure."""

    def __init__(self) -> None:
        self._closed_at: int | None = None

    def check(self, index: int, leaf: Leaf) -> Iterator[Finding]:
        """See ``Rule.check``."""
        if (leaf.kind == Kind.GENESIS) != (index == 0):
            yield fault("order", index, f"expected the genesis at 0, got {leaf.kind}")
        if self._closed_at is not None:
            what = f"the log was closed by entry {self._closed_at}"
            yield fault("order", index, what)
        elif leaf.kind == Kind.CLOSURE:
            self._closed_at = index


class Uniqueness:
    """5. unique: no id and no challenge is used twice."""

    def __init__(self) -> None:
        self._ids: set[bytes] = set()
        self._challenges: set[bytes] = set()

    def check(self, index: int, leaf: Leaf) -> Iterator[Finding]:
        """See ``Rule.check``."""
        if not _added(self._ids, leaf.id):
            yield fault("unique", index, f"the id {leaf.id} was used before")
        challenge = leaf.body.get("challenge")
        if challenge and not _added(self._challenges, challenge):
            yield fault("unique", index, f"the challenge {challenge} was used before")


def _added(seen: set[bytes], value: str) -> bool:
    before = len(seen)
    seen.add(bytes.fromhex(value)[:_DIGEST_BYTES])
    return len(seen) > before


class Chains:
    """6. chain: one subject's leaves follow each other without a gap, until erased."""

    def __init__(self) -> None:
        self._heads: dict[bytes, tuple[int, bytes]] = {}
        self._erased: dict[bytes, int] = {}

    def check(self, index: int, leaf: Leaf) -> Iterator[Finding]:
        """See ``Rule.check``."""
        if leaf.subject is None:
            return
        subject = bytes.fromhex(leaf.subject)
        if subject in self._erased:
            what = f"the subject was erased by entry {self._erased[subject]}"
            yield fault("chain", index, what)
        seq, prev = self._heads.get(subject, (-1, b""))
        if leaf.seq != seq + 1:
            yield fault("chain", index, f"expected seq {seq + 1}, got {leaf.seq}")
        elif leaf.prev != prev.hex():
            what = f"prev is not the hash of the subject's leaf with seq {seq}"
            yield fault("chain", index, what)
        self._heads[subject] = leaf.seq or 0, leaf.hash
        if leaf.kind == Kind.ERASURE:
            self._erased.setdefault(subject, index)


class Times:
    """7. time: times do not run back by more than ``MAX_SKEW_MS``."""

    def __init__(self) -> None:
        self._latest = 0

    def check(self, index: int, leaf: Leaf) -> Iterator[Finding]:
        """See ``Rule.check``."""
        behind = self._latest - leaf.time
        if behind > MAX_SKEW_MS:
            what = f"its time is {behind} ms before an earlier entry's"
            yield fault("time", index, f"{what}; {MAX_SKEW_MS} ms are allowed")
        self._latest = max(self._latest, leaf.time)


class Notices:
    """8. notice: a choice names a notice logged before it, and lies within its offers.

    A grant takes all the data that the notice called needed, and none that it did
    not mention.
    """

    def __init__(self) -> None:
        self._offers: dict[str, dict[tuple[str, str], Offer]] = {}

    def check(self, index: int, leaf: Leaf) -> Iterator[Finding]:
        """See ``Rule.check``."""
        if leaf.kind == Kind.NOTICE:
            offers = [Offer.from_dict(each) for each in leaf.body["offers"]]
            by_key = {offer.key: offer for offer in offers}
            if self._offers.setdefault(leaf.body["notice"], by_key) != by_key:
                what = "the same notice was logged before with other offers"
                yield fault("notice", index, what)
        elif leaf.kind == Kind.CHOICE:
            offered = self._offers.get(leaf.body["notice"])
            if offered is None:
                what = f"the notice {leaf.body['notice']} was not logged before"
                yield fault("notice", index, what)
                return
            for choice in leaf.body["choices"]:
                key = choice["purpose"], choice["recipient"]
                for what in _beyond(offered.get(key), choice):
                    yield fault("notice", index, f"{key[0]} / {key[1]}: {what}")


def _beyond(offer: Offer | None, choice: dict[str, object]) -> Iterator[str]:
    """How a choice goes beyond what was offered."""
    if offer is None:
        yield "the notice did not ask this"
        return
    if choice["scope"] != offer.scope:
        yield "the scope is not the one in the notice"
    data = choice["data"]
    if choice["state"] in AUTHORISING and isinstance(data, list):
        if set(data) - set(offer.data):
            yield "it covers data that the notice did not ask for"
        elif not offer.allows(data):
            yield "it leaves out data that the notice called needed"


class States:
    """9. state: who may say what, and what may follow what.

    A grant that nobody saw the person give is ``asserted``; it cannot undo a no
    (GDPR Art. 7(3)). That nobody else can withdraw for a person, the form of a leaf
    sees to (``consentkit.log.leaf_grammar``).
    """

    def __init__(self, table: StateTable) -> None:
        self._table = table

    def check(self, index: int, leaf: Leaf) -> Iterator[Finding]:
        """See ``Rule.check``."""
        if leaf.kind not in ANSWERS or leaf.subject is None:
            return
        for choice in leaf.body["choices"]:
            row = self._table.get(leaf.subject, choice["purpose"], choice["recipient"])
            before = row.status.state if row else None
            state = State(choice["state"])
            if state in AUTHORISING:
                for what in _bad_grant(leaf, state, before, choice["until"]):
                    yield fault("state", index, what)


def _bad_grant(
    leaf: Leaf, state: State, before: State | None, until: int
) -> Iterator[str]:
    body = leaf.body
    asserted = body["assurance"] == Assurance.ASSERTED
    seen = (
        body["channel"] in _WAYS_OF_THE_PERSON
        and body["actor"] in SPEAKS_FOR_THE_PERSON
    )
    if until <= leaf.time:
        yield "the grant ends before it begins"
    if not asserted and not seen:
        yield "a grant not seen from the person can only be asserted"
    if asserted and before in _ENDED:
        yield f"an asserted grant cannot follow an answer that is {before}"
    if state is State.RENEWED and before is None:
        yield "nothing was there to renew"
