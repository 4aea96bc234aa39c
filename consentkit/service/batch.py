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
    the recipient are let through within the block, and each asks again about everybody
    who was handed out since the one before.
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
        self._sent = False
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

    def proof_for(self, subject: object) -> str:
        """As ``proof``, and that this person was in it: for a recipient told of them.

        Raises:
            ConsentDeniedError: the person has stopped it meanwhile.
            InvalidRequestError: they are not in the batch, or its block is over.
            LogUnavailableError: the database cannot be reached.
        """
        self._check_live()
        return self._batch.prove_person(str(subject))

    def end(self) -> None:
        """See ``Release.end``. Whoever goes on with an old iterator holds nobody up."""
        super().end()
        self.let_go()

    def let_go(self) -> None:
        """See ``Release.let_go``: the next ones are asked about before they come."""
        self._turn.until = 0.0
        self._turn.lock.close()

    def spend(self) -> None:
        """See ``Release.spend``."""
        super().spend()
        self._sent = True

    @contextlib.contextmanager
    def sending(self) -> Iterator[None]:
        """See ``Release.sending``; it is asked about everybody whom it may be about."""
        with super().sending():
            decision = self._batch.ask_about_all()
            if not decision:
                raise ConsentDeniedError(decision)
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
        return max(1, min(2 * handed_out, limit // 2))

    def _note_hand_out(self, person: Person) -> None:
        why = self._why_dead()
        if why:
            raise InvalidRequestError(why)
        gate = self._batch
        if self._sent:
            gate.since, self._sent = gate.last, False
        gate.before, gate.last = gate.last, person.handle
        self._until = time.monotonic() + self._terms.lifetime

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
