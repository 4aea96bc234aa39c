"""A batch as the caller goes through it: person by person, each asked about once more.

Nobody is handed out after a revocation of theirs has returned. The people are asked
about some hundred at a time, and handed out while a lock is held that whoever ends a
consent waits for, as a send holds it; never longer than ``_SPAN`` after they were asked
about, which is far less than anybody waits. Whoever is named in the batch and is not
handed out has a denial of their own in the log.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING
from typing import Any

from consentkit.core.decision import Decision
from consentkit.core.decision import Reason
from consentkit.errors import ConsentDeniedError
from consentkit.errors import ConsentKitError
from consentkit.errors import InvalidRequestError
from consentkit.service.batch_gate import AT_ONCE
from consentkit.service.batch_gate import NOBODY
from consentkit.service.batch_gate import Person
from consentkit.service.release import Release

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator

    from consentkit.service.batch_gate import BatchGate
    from consentkit.service.release import Terms

__all__ = ["Batch"]

_SPAN = 0.25  # seconds after which the rest of them are asked about again
_AT_MOST = 4_000  # people asked about at a time: some 4 MB


@dataclass
class _Turn:
    """Some people and how long their answers count, while ``lock`` is held."""

    lock: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    until: float = 0.0
    people: list[Person] = field(default_factory=list)


class Batch(Release):
    """The permission to share about many people, for the length of a ``with`` block.

    Going through it hands their ids out, as the app gave them. Outgoing requests to
    the recipient are let through within the block once somebody was handed out. Each
    asks again about everybody who was, so does ``only`` and so does ``proof``; within
    ``about`` they ask about those alone whom it names.
    """

    def __init__(
        self,
        gate: BatchGate,
        *,
        terms: Terms,
        restored: Callable[[str], Any] = str,
    ) -> None:
        super().__init__(gate.decision, disclosure=gate.line.id, gate=gate, terms=terms)
        self._batch = gate
        self._restored = restored
        self._turn = _Turn()

    def __repr__(self) -> str:
        return (
            f"<Batch {self.purpose!r} to {self.recipient!r}: {self.count} people, "
            f"{self.withheld} withheld>"
        )

    @property
    def count(self) -> int:
        """How many people the leaf names; fewer may be handed out."""
        return int(self._batch.line.body["count"])

    @property
    def withheld(self) -> int:
        """How many were not released, each of whom sees why."""
        return int(self._batch.line.body["withheld"])

    def __iter__(self) -> Iterator[Any]:
        """The ids of those whose data may leave, in no order that says anything.

        Raises (on iterating):
            ConsentDeniedError: nothing can be checked or written any more, or an
                official stopped it; nobody else is handed out.
            InvalidRequestError: the block is over.
        """
        last, limit = NOBODY, AT_ONCE
        while True:
            with self._asked_about(last, limit) as turn:
                kept_back, handed_out = None, 0
                for person in turn.people:
                    if person.reason is not Reason.GRANTED:
                        kept_back = person
                        break
                    if time.monotonic() > turn.until:
                        break
                    last, handed_out = person.handle, handed_out + 1
                    self._note_hand_out(person)
                    yield self._restored(str(person.subject))
            # Nothing is written while a lock is held that others wait for.
            if kept_back is not None:
                self._keep_back(kept_back)
                last = kept_back.handle
            elif not turn.people:
                return
            elif handed_out == len(turn.people):
                limit = min(2 * limit, _AT_MOST)
            else:
                limit = self._fewer(limit, handed_out)

    def proof_for(self, subject: object, body: bytes | None = None) -> str:
        """As ``proof``, and that this person was in it: for a recipient told of them.

        It asks about this person alone, whether they were handed out yet or not.

        Raises:
            ConsentDeniedError: the person has stopped it meanwhile.
            InvalidRequestError: they are not in the batch, or its block is over.
            LogUnavailableError: the database cannot be reached.
        """
        why = self._why_dead()
        if why:
            raise InvalidRequestError(why)
        return self._batch.prove_person(str(subject), body)

    def end(self) -> None:
        """See ``Release.end``. Whoever goes on with an old iterator holds nobody up."""
        super().end()
        self.let_go()

    def let_go(self) -> None:
        """See ``Release.let_go``: the next ones are asked about before they come."""
        self._turn.until = 0.0
        self._turn.lock.close()

    def why_ended(self) -> str:
        """See ``Release.why_ended``; it is about somebody, or about nothing."""
        return self._why_dead() or self._why_nobody() or super().why_ended()

    @contextlib.contextmanager
    def about(self, people: Any) -> Iterator[None]:
        """Say whom all that is handed over within is about: an id, or several.

        Requests, ``only`` and ``proof`` then ask about these people alone, whoever else
        has said no since they were handed out. It counts in this thread or task.

        Raises:
            InvalidRequestError: they are none, or one of them was not handed out (code
                ``not-in-batch``), or the block is over.
            LogUnavailableError: the database cannot be reached.
        """
        why = self._why_dead()
        if why:
            raise InvalidRequestError(why)
        many = isinstance(people, Iterable) and not isinstance(people, str)
        ids: Iterable[object] = people if many else [people]
        with self._batch.about([str(each) for each in ids]):
            yield

    @contextlib.contextmanager
    def _asked_about(self, last: str, limit: int) -> Iterator[_Turn]:
        """The next people, asked about with the lock held.

        Raises as going through the batch does.
        """
        why = self._why_dead()
        if why:
            raise InvalidRequestError(why)
        self.let_go()  # of another way through the same batch
        with contextlib.ExitStack() as lock:
            turn = self._turn = _Turn(lock)
            try:
                lock.enter_context(self._batch.held())
                turn.until = time.monotonic() + _SPAN
                turn.people = self._batch.people(after=last, limit=limit)
            except ConsentKitError as error:
                raise self._unavailable() from error
            yield turn

    def _fewer(self, limit: int, handed_out: int) -> int:
        """How many to ask about next, where the answer about so many grew too old."""
        if limit == 1 and not handed_out:
            raise self._unavailable()
        return max(1, min(2 * handed_out or limit // 8, limit // 2))

    def _note_hand_out(self, person: Person) -> None:
        why = self._why_dead()
        if why:
            raise InvalidRequestError(why)
        self._batch.last = max(self._batch.last, person.handle)
        self._until = time.monotonic() + self._terms.lifetime

    def _check_live(self) -> None:
        why = self._why_dead() or self._why_nobody()
        if why:
            raise InvalidRequestError(why)
        super()._check_live()

    def _why_nobody(self) -> str:
        if not self.count:
            return "nobody is in this batch: there is nothing to hand over or to prove"
        if not self._batch.last:
            return (
                "nobody was handed out of this batch yet: go through it, and hand over "
                "what is about those who come"
            )
        return ""

    def _keep_back(self, person: Person) -> None:
        stopped = person.reason is Reason.SUSPENDED  # which is the same for everybody
        try:
            if stopped:
                self._batch.keep_back_rest(person)
            else:
                self._batch.keep_back(person)
        except ConsentKitError as error:
            raise self._unavailable() from error
        if stopped:
            raise ConsentDeniedError(
                Decision(person.reason, self.purpose, self.recipient)
            )

    def _unavailable(self) -> ConsentDeniedError:
        return ConsentDeniedError(
            Decision(Reason.STORE_UNAVAILABLE, self.purpose, self.recipient)
        )
