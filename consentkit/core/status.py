"""What a person's acts amount to for one (purpose, recipient), at one moment.

The later act wins, by its place in the person's own sequence and never by its clock.
Expiry is judged when the question is asked: no job has to run for a grant to end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from consentkit.core.act import AUTHORISING
from consentkit.core.act import Assurance
from consentkit.core.act import Choice
from consentkit.core.act import Millis
from consentkit.core.act import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consentkit.core.act import Act

__all__ = ["Status", "fold", "status_of"]


class Status(NamedTuple):
    """The standing answer of one subject to one question.

    A tuple because every check makes one: a frozen dataclass takes three times as long.
    ``record`` is the id of the act it rests on and ``since`` that act's time. ``until``
    is the first instant at which a grant no longer holds, 0 where nothing is granted.
    """

    state: State
    data: frozenset[str]
    until: Millis
    scope: str
    assurance: Assurance
    record: str
    since: Millis
    notice: str = ""

    def choice(self, key: tuple[str, str]) -> Choice:
        """The standing answer as the choice it rests on; ``key`` is the question's."""
        purpose, recipient = key
        return Choice(
            purpose=purpose,
            recipient=recipient,
            data=tuple(sorted(self.data)),
            scope=self.scope,
            state=self.state,
            until=self.until,
        )

    def at(self, now: Millis) -> State:
        """The state at ``now``: a grant is expired from the instant ``until`` on."""
        if self.state in AUTHORISING and now >= self.until:
            return State.EXPIRED
        return self.state

    def ends(self, of_age: Millis | None) -> Millis:
        """The first instant at which it no longer holds: of itself, or at an age.

        What was agreed to before the person came of age had somebody who answered for
        them, and is theirs to confirm (EDPB guidelines 05/2020 §148-149).
        """
        if of_age is not None and self.since < of_age < self.until:
            return of_age
        return self.until

    def by_age(self, of_age: Millis | None) -> Status:
        """The same with the end that it really has, see ``ends``."""
        return self._replace(until=self.ends(of_age))

    def authorises(self, now: Millis) -> bool:
        """Whether this is a grant that still holds at ``now``."""
        return self.state in AUTHORISING and now < self.until


def status_of(act: Act, choice: Choice) -> Status:
    """The status that one choice of one act creates."""
    return Status(
        state=choice.state,
        data=frozenset(choice.data),
        until=choice.until,
        scope=choice.scope,
        assurance=act.assurance,
        record=act.id,
        since=act.time,
        notice=act.notice,
    )


def fold(acts: Iterable[Act], *, purpose: str, recipient: str) -> Status | None:
    """The status after ``acts`` of one subject, or None if the question never came up.

    The acts may come in any order; their ``seq`` decides.
    """
    latest: tuple[int, Status] | None = None
    for act in acts:
        for choice in act.choices:
            if choice.key != (purpose, recipient):
                continue
            if latest is None or act.seq > latest[0]:
                latest = act.seq, status_of(act, choice)
    return latest[1] if latest else None
