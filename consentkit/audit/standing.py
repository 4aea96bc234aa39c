"""Where everybody stands, in as few bytes as the rules need.

The same fold as ``replay.StateTable``, for logs of many millions of entries: an
answer keeps what a later disclosure is held against, and no more. What people are
asked, and what they say to it, is the same few things again and again: that is kept
once.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from struct import Struct
from typing import Any
from typing import NamedTuple
from typing import TypeAlias

from consentkit.audit.columns import Column
from consentkit.audit.replay import ANSWERS
from consentkit.audit.seen import Mark
from consentkit.audit.seen import Places
from consentkit.core.act import AUTHORISING
from consentkit.core.act import Kind
from consentkit.core.act import State
from consentkit.log.leaf import Leaf

__all__ = ["People", "Standing", "StandingAnswers"]

_Question: TypeAlias = tuple[str, str]

_KEY = Struct("<QII")  # person, question, entry of the last erasure or 0


class People:
    """The persons of a log by their handles, numbered as they first come."""

    def __init__(self) -> None:
        self._places = Places()
        self._last = "", 0

    def number(self, handle: str) -> int:
        """The number of this person, who is added if new."""
        if self._last[0] != handle:
            self._last = handle, self._places.place(bytes.fromhex(handle))
        return self._last[1]


class _Saying(NamedTuple):
    """What many people said in the same words."""

    question: _Question
    state: State
    data: frozenset[str]
    scope: str


class Standing(NamedTuple):
    """One person's answer to one question: ``entry`` is the one that it rests on.

    Below 0 it is one of a log before.
    """

    state: State
    data: frozenset[str]
    scope: str
    until: int
    entry: int
    mark: int

    def authorises(self, now: int) -> bool:
        """Whether this is a grant that still holds at ``now``."""
        return self.state in AUTHORISING and now < self.until


class _Rows:
    """Answers by number: some 21 bytes each, as long as people say the same things."""

    def __init__(self) -> None:
        self.sayings = Column()  # 0 where there is no answer
        self._untils = array("Q")
        self._indices = array("I")
        self._marks = array("q")

    def put(self, number: int, saying: int, until: int, index: int, mark: int) -> None:
        missing = number + 1 - len(self._marks)
        if missing > 0:
            for column in (self._untils, self._indices, self._marks):
                column.extend([0] * missing)
        self.sayings[number] = saying
        self._untils[number] = until
        self._indices[number] = index
        self._marks[number] = mark

    def rest(self, number: int) -> tuple[int, int, int]:
        return self._untils[number], self._indices[number], self._marks[number]


class StandingAnswers:
    """The state after the leaves so far. Apply every leaf, in the order of the log.

    Nearly everybody is asked one thing, so a person's first answer has a row under
    the person's number; others have theirs under a key. Someone who was erased begins
    anew: the key says after which erasure it was said.

    With ``unknown_past`` there is a log before this one that nobody has shown: an
    answer that is not known may be in that one.
    """

    def __init__(self, people: People, *, unknown_past: bool = False) -> None:
        self.unknown_past = unknown_past
        self._people = people
        self._mark = Mark()
        self._before = 0  # how many entries the logs before this one have
        self._sayings: list[_Saying] = []
        self._numbers: dict[tuple[str, ...], int] = {}
        self._questions: dict[_Question, int] = {}
        self._first = _Rows()
        self._others = _Rows()
        self._keys = Places()
        self._erased = Column()

    def succeed(self, size: int) -> None:
        """Go on with the log that follows one of ``size`` entries."""
        self._before += size

    def apply(self, index: int, leaf: Leaf) -> None:
        """Take in one leaf; kinds that change no state are passed over."""
        body = leaf.body
        if body["kind"] in ANSWERS:
            mark = self._mark.number(_basis(body["id"], leaf.hash.hex()))
            person = self._people.number(body["subject"])
            for choice in body["choices"]:
                self._put(person, choice, self._before + index, mark)
        elif body["kind"] == Kind.ERASURE:
            self._forget(self._people.number(body["subject"]), self._before + index)

    def get(self, subject: str, purpose: str, recipient: str) -> Standing | None:
        """Where one subject stands on one question, None if it never came up."""
        person, question = self._people.number(subject), (purpose, recipient)
        rows, number = self._first, person
        said = rows.sayings[number]
        if said and self._sayings[said - 1].question != question:
            known = self._keys.find(self._key(person, question))
            if known is None:
                return None
            rows, number = self._others, known
            said = rows.sayings[number]
        if not said:
            return None
        saying = self._sayings[said - 1]
        until, entry, mark = rows.rest(number)
        return Standing(
            saying.state, saying.data, saying.scope, until, entry - self._before, mark
        )

    def knows(self, purpose: str, recipient: str) -> bool:
        """Whether anybody ever answered that question, as far as can be told."""
        question = purpose, recipient
        asked = (each.question == question for each in self._sayings)
        return self.unknown_past or any(asked)

    def rests_on(self, standing: Standing, record: str, grant: str) -> bool:
        """Whether it is the leaf with this id and this hash, both in hex."""
        return self._mark.number(_basis(record, grant)) == standing.mark

    def _put(
        self, person: int, choice: Mapping[str, Any], index: int, mark: int
    ) -> None:
        question = choice["purpose"], choice["recipient"]
        saying = self._say(question, choice)
        first = self._first.sayings[person]
        if not first or self._sayings[first - 1].question == question:
            self._first.put(person, saying, choice["until"], index, mark)
        else:
            number = self._keys.place(self._key(person, question))
            self._others.put(number, saying, choice["until"], index, mark)

    def _say(self, question: _Question, choice: Mapping[str, Any]) -> int:
        """The number, from 1, of what is said."""
        words = (*question, choice["state"], choice["scope"], *choice["data"])
        number = self._numbers.get(words)
        if number is None:
            data = frozenset(choice["data"])
            self._sayings.append(
                _Saying(question, State(choice["state"]), data, choice["scope"])
            )
            number = self._numbers[words] = len(self._sayings)
        return number

    def _key(self, person: int, question: _Question) -> bytes:
        number = self._questions.setdefault(question, len(self._questions))
        return _KEY.pack(person, number, self._erased[person])

    def _forget(self, person: int, index: int) -> None:
        self._erased[person] = index
        if self._first.sayings[person]:
            self._first.put(person, 0, 0, 0, 0)


def _basis(record: str, grant: str) -> bytes:
    return f"{record} {grant}".encode()
