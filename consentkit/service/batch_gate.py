"""The gate as a batch went through it, asked again about whoever is handed out."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any

from consentkit.core.act import Kind
from consentkit.core.decision import Decision
from consentkit.core.decision import Reason
from consentkit.errors import ConsentDeniedError
from consentkit.errors import InvalidRequestError
from consentkit.service.batch_proving import prove_batch
from consentkit.service.judging import Judge
from consentkit.service.recording import PersonRecorder
from consentkit.service.sharing import known_ids
from consentkit.service.sharing import line_of
from consentkit.store.rows import STATUS_COLUMNS

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from consentkit.core.registry import Registry
    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation
    from consentkit.service.judging import Wanted
    from consentkit.service.sharing import Circumstances
    from consentkit.store.batches import BatchRow
    from consentkit.store.ledger import Transaction

__all__ = ["AT_ONCE", "NOBODY", "BatchGate", "Person"]

AT_ONCE = 500
"""People asked about at a time, to begin with."""

NOBODY = ""
"""Stands before every handle."""

_LOGGER = logging.getLogger("consentkit")
_RECORD = STATUS_COLUMNS.index("record")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the batch; ``reason`` is why they must not be handed out now."""

    subject: str | None
    handle: str
    reason: Reason


@dataclass
class BatchGate:
    """The gate as one batch went through it; see ``consentkit.service.release.Gate``.

    ``last`` is the handle of whoever was handed out last, ``before`` that of the one
    before; behind ``since`` stand all who were handed out since the last request.
    """

    installation: Installation
    wanted: Wanted
    decision: Decision
    line: Leaf
    row: BatchRow
    circumstances: Circumstances
    since: str = NOBODY
    before: str = NOBODY
    last: str = NOBODY

    def __post_init__(self) -> None:
        self._judge = Judge(self.installation, self.wanted, self.installation.clock())

    @property
    def registry(self) -> Registry:
        """See ``Gate.registry``."""
        return self.installation.registry

    def ask_again(self) -> Decision:
        """About the purpose, the recipient, and whoever was handed out last."""
        return self._ask_about(self.before)

    def ask_about_all(self) -> Decision:
        """The same about everybody who was handed out since the last request."""
        return self._ask_about(self.since)

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

    def prove_person(self, subject: str) -> str:
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
        return prove_batch(self.installation, self.line, self.decision, named=found[0])

    def _judge_one(self, handle: str) -> Decision:
        rows = self.people(after=_before(handle), until=handle, limit=1)
        if not rows:
            return self._denied(Reason.WITHDRAWN)  # they were kept back
        reason = rows[0].reason
        return self.decision if reason is Reason.GRANTED else self._denied(reason)

    def people(
        self, *, after: str, until: str | None = None, limit: int = AT_ONCE
    ) -> list[Person]:
        """The next ones, each asked about now."""
        self._judge.turn_to(self.installation.clock())
        rows = self.installation.batches.people(
            self.row, self._judge.asked, after=after, until=until, limit=limit
        )
        return [self._judged(*row) for row in rows]

    def _judged(
        self, subject: str | None, handle: str, rests: str, *row: Any
    ) -> Person:
        if subject is None:
            return Person(None, handle, Reason.NOT_ASKED)  # erased meanwhile
        reason, _ = self._judge.on(subject, row)
        if reason is Reason.GRANTED and row[_RECORD] != rests:
            # They agreed anew: what the batch rests on was replaced, and the recipient
            # may have been told to delete what came under it.
            reason = Reason.SCOPE_CHANGED
        return Person(subject, handle, reason)

    def _ask_about(self, after: str) -> Decision:
        """About those behind that handle, up to the last one handed out."""
        try:
            stopped = self._about_nobody()
            if stopped is not None:
                return stopped
            while self.last:
                people = self.people(after=after, until=self.last)
                ended = [each for each in people if each.reason is not Reason.GRANTED]
                if ended:
                    return self._denied(ended[0].reason)
                if len(people) < AT_ONCE:
                    break
                after = people[-1].handle
        except Exception as error:
            _LOGGER.exception("consentkit: a check failed (%s)", type(error).__name__)
            return self._denied(Reason.STORE_UNAVAILABLE)
        return self.decision

    def _about_nobody(self) -> Decision | None:
        """Why nothing may leave whoever it is about, None if something may."""
        wanted = self.wanted
        standing = self.installation.reader.standing(
            NOBODY, wanted.purpose, wanted.recipient
        )
        decision = self._judge.on_all(suspended=standing.suspended)
        return None if decision.reason is Reason.NOT_ASKED else decision

    def _denied(self, reason: Reason) -> Decision:
        return Decision(reason, self.wanted.purpose, self.wanted.recipient)

    def keep_back(self, person: Person) -> None:
        """Put on record that somebody was named and is not handed out.

        Raises:
            LogError: it cannot be written.
        """
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
        with self.installation.ledger.write() as transaction:
            transaction.batches.keep_back(
                self.line.id, person.handle, person.reason.value, and_after=True
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
