"""The gate as a batch went through it, asked again about whoever is handed out."""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from consentkit.core.act import Kind
from consentkit.core.decision import Decision
from consentkit.core.decision import Reason
from consentkit.errors import ConsentDeniedError
from consentkit.errors import InvalidRequestError
from consentkit.service.batch_proving import prove_batch
from consentkit.service.failing import log_failed_check
from consentkit.service.judging import Judge
from consentkit.service.recording import PersonRecorder
from consentkit.service.sharing import known_ids
from consentkit.service.sharing import line_of
from consentkit.store.batch_standings import STANDING
from consentkit.store.rows import STATUS_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from consentkit.core.act import Millis
    from consentkit.core.registry import Registry
    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation
    from consentkit.service.judging import Wanted
    from consentkit.service.sharing import Circumstances
    from consentkit.store.batch_changes import Mark
    from consentkit.store.batches import BatchRow
    from consentkit.store.ledger import Transaction

__all__ = ["AT_ONCE", "NOBODY", "BatchGate", "Person"]

AT_ONCE = 500
"""People asked about at a time, to begin with."""

NOBODY = ""
"""Stands before every handle."""

# Whom what is sent here is about, where it was said: by batch, the innermost last.
_ABOUT: ContextVar[tuple[tuple[BatchGate, tuple[str, ...]], ...]] = ContextVar(
    "consentkit_about", default=()
)
_RECORD = STANDING + STATUS_COLUMNS.index("record")


class Person(NamedTuple):
    """Somebody in the batch; ``reason`` is why they must not be handed out now.

    A tuple because a million are made, and a frozen dataclass takes twice as long.
    """

    subject: str | None
    handle: str
    reason: Reason


class _Asked(NamedTuple):
    """All up to ``last`` might be handed over at ``time``, when the log stood there."""

    last: str
    time: Millis
    mark: Mark


@dataclass
class BatchGate:
    """The gate as one batch went through it; see ``consentkit.service.release.Gate``.

    ``last`` is the handle up to which people were handed out, which never goes back.
    """

    installation: Installation
    wanted: Wanted
    decision: Decision
    line: Leaf
    row: BatchRow
    circumstances: Circumstances
    last: str = NOBODY
    _asked: _Asked | None = None
    _lasting: bool = True

    def __post_init__(self) -> None:
        self._judge = Judge(self.installation, self.wanted, self.installation.clock())

    @property
    def registry(self) -> Registry:
        """See ``Gate.registry``."""
        return self.installation.registry

    def ask_again(self) -> Decision:
        """About the purpose, the recipient, and all who may be in what is handed over.

        They are all who were handed out, or those whom ``about`` names.
        """
        try:
            reason = self._about_nobody() or self._about_them()
        except Exception as error:  # noqa: BLE001  logged, and denied
            log_failed_check(error)
            reason = Reason.STORE_UNAVAILABLE
        return self._denied(reason) if reason else self.decision

    @contextlib.contextmanager
    def about(self, subjects: Sequence[str]) -> Iterator[None]:
        """Within it, in this context, ask about these people alone.

        Raises:
            InvalidRequestError: they are none, or one of them was not handed out (code
                ``not-in-batch``).
            LogUnavailableError: the database cannot be reached.
        """
        handles = tuple(self._handed_out(subjects))
        token = (self, handles)
        _ABOUT.set((*_ABOUT.get(), token))
        try:
            yield
        finally:
            # Not ``reset``: a generator may be closed in another context.
            _ABOUT.set(tuple(each for each in _ABOUT.get() if each is not token))

    def _handed_out(self, subjects: Sequence[str]) -> Iterator[str]:
        if not subjects:
            raise InvalidRequestError(
                "expected the ids of those whom it is about; got none",
                code="not-in-batch",
            )
        for some in _in_parts(subjects):
            handles = self.installation.batches.handles(some)
            for subject in some:
                handle = handles.get(subject)
                if handle is None or handle > self.last:
                    raise InvalidRequestError(
                        "expected the ids of people whom this batch has handed out",
                        code="not-in-batch",
                    )
                yield handle

    def held(self) -> AbstractContextManager[None]:
        """See ``Gate.held``: of nobody's consent."""
        return self.installation.sends.held()

    def prove(self, body: bytes | None) -> str:
        """See ``Gate.prove``.

        Raises:
            InvalidRequestError: the batch is of nobody (code ``not-in-batch``).
        """
        if not self.row.size:
            raise InvalidRequestError(
                "nobody is in this batch: there is nothing to prove",
                code="not-in-batch",
            )
        return prove_batch(self.installation, self.line, self.decision, body=body)

    def prove_person(self, subject: str, body: bytes | None = None) -> str:
        """What the recipient can show for this one person.

        Raises:
            InvalidRequestError: they are not in the batch (code ``not-in-batch``).
            ConsentDeniedError: they have stopped it meanwhile.
        """
        person = self.installation.history.person(subject)
        handle = person.handle if person else NOBODY
        found = self.installation.batches.naming(handle, batch=self.line.id)
        if not found:
            raise InvalidRequestError(
                "expected the id of somebody whom this batch names", code="not-in-batch"
            )
        now = self._judge_one(handle)
        if not now:
            raise ConsentDeniedError(now)
        return prove_batch(
            self.installation, self.line, self.decision, body=body, named=found[0]
        )

    def _judge_one(self, handle: str) -> Decision:
        rows = self.people(after=_before(handle), until=handle, limit=1)
        if not rows:
            return self._denied(Reason.WITHDRAWN)  # they were kept back
        reason = rows[0].reason
        return self.decision if reason is Reason.GRANTED else self._denied(reason)

    def people(
        self,
        *,
        after: str = NOBODY,
        until: str | None = None,
        limit: int = AT_ONCE,
        handles: Sequence[str] | None = None,
    ) -> list[Person]:
        """The next ones, or some of these, each asked about now."""
        self._judge.turn_to(self.installation.clock())
        rows = self.installation.batches.people(
            self.row,
            self._judge.asked,
            after=after,
            until=until,
            limit=limit,
            handles=handles,
        )
        return [self._judged(row) for row in rows]

    def _judged(self, row: Sequence[Any]) -> Person:
        subject, handle, rests = row[:STANDING]
        if not self._judge.lasts(row):
            self._lasting = False
        if subject is None:
            return Person(None, handle, Reason.NOT_ASKED)  # erased meanwhile
        reason, _ = self._judge.on(row)
        if reason is Reason.GRANTED and row[_RECORD] != rests:
            # They agreed anew: what the batch rests on was replaced, and the recipient
            # may have been told to delete what came under it.
            reason = Reason.SCOPE_CHANGED
        return Person(subject, handle, reason)

    def _about_them(self) -> Reason | None:
        """Why something of somebody it may be about may not leave."""
        for gate, handles in reversed(_ABOUT.get()):
            if gate is self:
                return self._about_these(handles)
        return self._about_all()

    def _about_all(self) -> Reason | None:
        """Of all who were handed out; of whom nothing can have changed, not again."""
        batches, last, asked = self.installation.batches, self.last, self._asked
        now, mark = self.installation.clock(), batches.mark()
        after, changed = NOBODY, None
        # Until the first of them ends, what they said changes by leaves alone.
        if (
            asked
            and self._lasting
            and asked.time <= now < (self.decision.until_ms or 0)
        ):
            changed = batches.touched(self.row, since=asked.mark, until=asked.last)
        if asked and changed is not None:
            after = asked.last
        reason = self._about_these(changed or ()) or self._about_range(after, last)
        if reason is None:
            self._asked = _Asked(last, now, mark)
        return reason

    def _about_these(self, handles: Sequence[str]) -> Reason | None:
        for some in _in_parts(handles):
            people = self.people(handles=some)
            if len(people) < len(set(some)):
                return Reason.WITHDRAWN  # somebody was kept back
            reason = _first_no(people)
            if reason:
                return reason
        return None

    def _about_range(self, after: str, last: str) -> Reason | None:
        while after < last:
            people = self.people(after=after, until=last)
            reason = _first_no(people)
            if reason or len(people) < AT_ONCE:
                return reason
            after = people[-1].handle
        return None

    def _about_nobody(self) -> Reason | None:
        """Why nothing may leave whoever it is about, None if something may."""
        wanted = self.wanted
        standing = self.installation.reader.standing(
            NOBODY, wanted.purpose, wanted.recipient
        )
        reason = self._judge.on_all(suspended=standing.suspended).reason
        return None if reason is Reason.NOT_ASKED else reason

    def _denied(self, reason: Reason) -> Decision:
        return Decision(reason, self.wanted.purpose, self.wanted.recipient)

    def keep_back(self, person: Person) -> None:
        """Put on record that somebody was named and is not handed out.

        Unless they were: then the batch's own line is what they have to see, since
        their data may have left. They stay among those who are asked about.

        Raises:
            LogError: it cannot be written.
        """
        if person.handle <= self.last:
            return
        with self.installation.ledger.write() as transaction:
            known = transaction.find_person(person.subject or NOBODY)
            # Of somebody who was erased the chain has ended.
            if known is not None and known.handle == person.handle:
                self._deny(transaction, str(person.subject), person.reason)
            transaction.batches.keep_back(
                self.line.id, person.handle, person.reason.value
            )

    def keep_back_rest(self, person: Person) -> None:
        """Note that nobody is handed out any more, from this one on.

        Raises:
            LogError: it cannot be written.
        """
        first = max(person.handle, self.last + " ")  # behind all who were handed out
        with self.installation.ledger.write() as transaction:
            transaction.batches.keep_back(
                self.line.id, first, person.reason.value, and_after=True
            )

    def _deny(self, transaction: Transaction, subject: str, reason: Reason) -> None:
        recorder = PersonRecorder.lock(self.installation, transaction, subject)
        circumstances = replace(self.circumstances, amount=1)
        leaf = recorder.append(
            Kind.DENIAL,
            {
                **line_of(circumstances, self.wanted.purpose, self.wanted.recipient),
                "data": known_ids(self.decision.data),
                "reason": reason.value,
            },
        )
        transaction.add_disclosure(leaf, subject=subject, reason=reason.value)


def _before(handle: str) -> str:
    """What stands before that handle, and behind every one that does."""
    return handle[:-1] + chr(ord(handle[-1]) - 1) + "~"


def _first_no(people: Sequence[Person]) -> Reason | None:
    reasons = (each.reason for each in people)
    return next((each for each in reasons if each is not Reason.GRANTED), None)


def _in_parts(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(texts), AT_ONCE):
        yield texts[begin : begin + AT_ONCE]
