"""One write transaction: the signed leaf, the state it makes and its private evidence.

Either all of it is committed or none. Leaves go in unnumbered; the publisher numbers
them later, so that writers do not queue behind each other.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING
from typing import TypeAlias

import sqlalchemy as sa

from consentkit.store import bars
from consentkit.store import closures
from consentkit.store import deliveries
from consentkit.store import entries
from consentkit.store import keys
from consentkit.store import left_out
from consentkit.store import newcomers
from consentkit.store import numbers
from consentkit.store import reminders
from consentkit.store import schema
from consentkit.store import subjects
from consentkit.store.batch_writing import BatchWriter
from consentkit.store.dropping import Dropper
from consentkit.store.erasing import Eraser
from consentkit.store.periods import PeriodWriter
from consentkit.store.representing import Represented
from consentkit.store.rows import STATUS_COLUMNS
from consentkit.store.rows import row_of
from consentkit.store.rows import statuses_of
from consentkit.store.statement import Statement
from consentkit.store.statement import Upsert

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Collection
    from collections.abc import Iterator
    from collections.abc import Sequence

    from consentkit.core.act import Millis
    from consentkit.core.notice import Notice
    from consentkit.core.status import Status
    from consentkit.log.leaf import Leaf
    from consentkit.store.closures import Closure
    from consentkit.store.database import Database
    from consentkit.store.deliveries import Delivery
    from consentkit.store.deliveries import Shared
    from consentkit.store.keys import KeyRange
    from consentkit.store.left_out import LeftOut
    from consentkit.store.subjects import Person

    Accompany: TypeAlias = Callable[[sa.Connection, Leaf, str], object]

__all__ = ["Ledger", "Transaction"]

_MOST = 1_000_000  # rows that wait while a key is changed: more is a flood
_LEAF, _STATE, _SUSPENSION = schema.leaf, schema.state, schema.suspension
_INSERT_LEAF = Statement(
    sa.insert(_LEAF),
    *("log", "id", "kind", "hash", "bytes", "handle", "seq", "challenge", "time"),
)
_INSERT_EVIDENCE = Statement(sa.insert(schema.evidence))
_INSERT_DISCLOSURE = Statement(sa.insert(schema.disclosure))
_INSERT_NOTICE = Statement(sa.insert(schema.notice))
_SET_STATE = Upsert(_STATE, *STATUS_COLUMNS)
_BY_CHALLENGE = Statement(
    sa.select(_LEAF.c.bytes).where(
        entries.ANY_LOG,
        _LEAF.c.challenge == sa.bindparam("challenge"),
    )
)
_HASH_BY_ID = Statement(
    sa.select(_LEAF.c.hash).where(entries.ANY_LOG, _LEAF.c.id == sa.bindparam("id"))
)
_NOTICE_KNOWN = Statement(
    sa.select(schema.notice.c.digest).where(
        schema.notice.c.digest == sa.bindparam("digest")
    )
)
_SUSPENDED = Statement(
    sa.select(_SUSPENSION.c.since).where(
        _SUSPENSION.c.purpose.in_([sa.literal_column("''"), sa.bindparam("purpose")]),
        _SUSPENSION.c.recipient.in_(
            [sa.literal_column("''"), sa.bindparam("recipient")]
        ),
    )
)
_THIS_SUSPENSION = (_SUSPENSION.c.purpose == sa.bindparam("for_purpose")) & (
    _SUSPENSION.c.recipient == sa.bindparam("for_recipient")
)
_SUSPENSION_OF = Statement(sa.select(_SUSPENSION.c.leaf).where(_THIS_SUSPENSION))
_SUSPEND = Statement(sa.insert(_SUSPENSION))
_RESUME = Statement(sa.delete(_SUSPENSION).where(_THIS_SUSPENSION))


class Ledger:
    """Where acts are written."""

    def __init__(
        self,
        database: Database,
        log_id: int,
        *,
        committed: Callable[[Sequence[Leaf]], object] = lambda _leaves: None,
        accompany: Accompany = lambda _connection, _leaf, _subject: None,
    ) -> None:
        """``committed`` is told the leaves of each transaction that is durable.

        ``accompany`` is called for each leaf about a person, in the transaction and at
        its end; what it raises undoes all of it.
        """
        self._database = database
        self._log_id = log_id
        self._committed = committed
        self._accompany = accompany

    @contextlib.contextmanager
    def write(self, *, joins: bool = False) -> Iterator[Transaction]:
        """One transaction about persons: all of it is there afterwards, or nothing.

        It may overlap with others about other persons: lock each that it is about.
        One that ``joins`` may be part of a transaction of the app's, and is there once
        that is committed (see ``Database.write``).

        Raises:
            LogConflictError: a row contradicts what is already there.
            LogUnavailableError: the database cannot be reached or written.
            ConfigurationError: it does not join, and runs where it would have to.
        """
        with self._database.write(alone=False, joins=joins) as connection:
            transaction = Transaction(connection, self._log_id)
            yield transaction
            for leaf, subject in transaction.of_persons:
                self._accompany(connection, leaf, subject)
        self._database.when_durable(
            lambda: self._committed(transaction.appended),
            leaves=[leaf.id for leaf in transaction.appended],
        )

    @contextlib.contextmanager
    def write_alone(self) -> Iterator[Transaction]:
        """One transaction about the log as a whole, which overlaps with no other.

        Raises as ``write`` does.
        """
        with self._database.write() as connection:
            transaction = Transaction(connection, self._log_id)
            yield transaction
        left_out.tell(transaction.left_out)
        self._committed(transaction.appended)


class Transaction:
    """What can be done within one write transaction."""

    def __init__(self, connection: sa.Connection, log_id: int) -> None:
        self._connection = connection
        self._log_id = log_id
        self.appended: list[Leaf] = []
        """The leaves that this transaction wrote so far."""
        self.of_persons: list[tuple[Leaf, str]] = []
        """Those of them that are about somebody, and about whom."""
        self.left_out: list[LeftOut] = []
        """The rows that will be in no log, as was found out so far."""

    @property
    def eraser(self) -> Eraser:
        """What takes rows out again, within this transaction."""
        return Eraser(self._connection, self._log_id)

    @property
    def periods(self) -> PeriodWriter:
        """What notes how logs ended, within this transaction."""
        return PeriodWriter(self._connection)

    def dropper(self, log_id: int) -> Dropper:
        """What takes out a whole log that ended, within this transaction."""
        return Dropper(self._connection, log_id)

    @property
    def batches(self) -> BatchWriter:
        """What writes a batch, within this transaction."""
        return BatchWriter(self._connection)

    def represented(self, subject: str) -> Represented:
        """What is known of who answers for this person, within this transaction."""
        return Represented(self._connection, subject)

    def lock_person(
        self, subject: str, *, new: Callable[[], Person], now: Millis
    ) -> Person:
        """The person, locked until the end; ``new`` makes one who was never seen."""
        return subjects.lock_person(self._connection, subject, new=new, now=now)

    def find_person(self, subject: str) -> Person | None:
        """The person, if the log ever heard of them; not locked."""
        return subjects.find_person(self._connection, subject)

    def append(self, leaf: Leaf, *, subject: str | None = None) -> None:
        """Insert a signed leaf, unnumbered, and move its subject's chain on.

        Raises:
            LogConflictError: its id, its challenge or its place is already taken, it
                does not continue its subject's entries, its signer may not sign at
                that place, or the log was closed.
        """
        keys.check_signer(self._connection, self._log_id, leaf)
        _INSERT_LEAF.run(
            self._connection,
            log=self._log_id,
            id=leaf.id,
            kind=leaf.kind.value,
            hash=leaf.hash,
            bytes=leaf.data,
            handle=leaf.subject,
            seq=leaf.seq,
            challenge=leaf.body.get("challenge") or None,
            time=leaf.time,
        )
        keys.note(self._connection, self._log_id, leaf)
        self.appended.append(leaf)
        if subject is not None and leaf.seq is not None:
            self.of_persons.append((leaf, subject))
            if subjects.move_head(self._connection, self._log_id, subject, leaf):
                last = str(leaf.subject), leaf.seq - 1
                numbers.check_waiting(self._connection, self._log_id, *last)

    def close(self, now: Millis) -> None:
        """Let no leaf in after those of this transaction."""
        closures.close(self._connection, self._log_id, now)

    def closure(self) -> Closure | None:
        """What was said when the log was closed, None if it is open."""
        return closures.find_closure(self._connection, self._log_id)

    def leave_out(self, leaf_hash: str) -> LeftOut:
        """Leave out the row of that leaf hash, in hex, which stops the log.

        Raises:
            InvalidRequestError: no such row waits, or nothing speaks against it.
        """
        return numbers.leave_out(self._connection, self._log_id, leaf_hash)

    def next_index(self) -> int:
        """The index that the next leaf will have, once all that waits has its own.

        Exact if whoever writes alone calls ``take_places`` at the end.

        Raises:
            LogConflictError: what becomes of a row that waits is for somebody to say.
        """
        size = numbers.size_of(self._connection, self._log_id)
        self.left_out += numbers.give_numbers(
            self._connection, self._log_id, size, most=_MOST
        )
        return numbers.next_number(self._connection, self._log_id, size)

    def take_places(self) -> None:
        """Let the leaves of this transaction be the next ones in the log."""
        own = [leaf.id for leaf in self.appended]
        numbers.number_these(self._connection, self._log_id, own)

    def key_ranges(self) -> list[KeyRange]:
        """Every key that was ever registered, oldest first."""
        return keys.find_ranges(self._connection, self._log_id)

    def statuses(self, subject: str) -> dict[tuple[str, str], Status]:
        """Every standing answer of one person, by (purpose, recipient)."""
        return statuses_of(self._connection, subject)

    def set_status(self, subject: str, key: tuple[str, str], status: Status) -> None:
        """Replace the standing answer to one question."""
        purpose, recipient = key
        _SET_STATE.run(
            self._connection,
            subject=subject,
            purpose=purpose,
            recipient=recipient,
            **row_of(status),
        )

    def note_reminder(self, subject: str, key: tuple[str, str], record: str) -> bool:
        """Note that a person is reminded of a yes; False if they were before."""
        return reminders.note_reminder(self._connection, subject, key, record)

    def add_evidence(self, *, act: str, handle: str, sealed: bytes) -> None:
        """Keep the private part of an act, encrypted."""
        _INSERT_EVIDENCE.run(self._connection, id=act, handle=handle, sealed=sealed)

    def add_disclosure(self, leaf: Leaf, *, subject: str, reason: str) -> None:
        """List a share, or a refused attempt, for the person's own overview."""
        body = leaf.body
        _INSERT_DISCLOSURE.run(
            self._connection,
            id=leaf.id,
            subject=subject,
            time=leaf.time,
            purpose=body["purpose"],
            recipient=body["recipient"],
            data=" ".join(body["data"]),
            reason=reason,
            record=body.get("record", ""),
            log=self._log_id,
        )

    def bar(self, leaf_id: str, until: Millis) -> None:
        """Keep one line of that list from its person until then."""
        bars.add_bar(self._connection, leaf_id, until)

    def shared(
        self, subject: str, keys: Collection[tuple[str, str]] | None = None
    ) -> list[Shared]:
        """What was shared about one person, under these (purpose, recipient) or any."""
        return deliveries.find_shared(self._connection, subject, keys)

    def add_delivery(self, delivery: Delivery) -> None:
        """Keep a message until its recipient has acknowledged it."""
        deliveries.add_delivery(self._connection, delivery)

    def settle_delivery(self, delivery: Delivery) -> str | None:
        """Note how an attempt ended; the person it is about, None if erased."""
        return deliveries.settle_delivery(self._connection, delivery)

    def erased_newcomer_since(self, position: int) -> bool:
        """Whether anybody both came and was erased after that position."""
        return newcomers.erased_newcomer_since(self._connection, position)

    def leaf_of_challenge(self, challenge: str) -> bytes | None:
        """The leaf that already spent this challenge, if any, in whichever log."""
        found: bytes | None = _BY_CHALLENGE.scalar(
            self._connection, challenge=challenge
        )
        return found

    def leaf_hash(self, leaf_id: str) -> bytes | None:
        """The hash of the leaf with that id, if there is one, in whichever log."""
        found: bytes | None = _HASH_BY_ID.scalar(self._connection, id=leaf_id)
        return found

    def knows_notice(self, digest: str) -> bool:
        """Whether a notice is already stored, and therefore logged."""
        return _NOTICE_KNOWN.scalar(self._connection, digest=digest) is not None

    def add_notice(self, notice: Notice, *, now: Millis) -> None:
        """Store a notice for good: manifest and the very bytes that are shown."""
        _INSERT_NOTICE.run(
            self._connection,
            digest=notice.digest,
            manifest=notice.manifest_bytes,
            html=notice.html,
            created=now,
        )

    def suspend(self, purpose: str, recipient: str, leaf: Leaf) -> None:
        """Stop a purpose, a recipient, this pair, or all of it; empty means every."""
        _SUSPEND.run(
            self._connection,
            purpose=purpose,
            recipient=recipient,
            since=leaf.time,
            leaf=leaf.id,
        )

    def resume(self, purpose: str, recipient: str) -> None:
        """Lift what was suspended in exactly these words, and nothing else."""
        _RESUME.run(self._connection, for_purpose=purpose, for_recipient=recipient)

    def suspension(self, purpose: str, recipient: str) -> str | None:
        """The leaf that suspended it in exactly these words, if that still stands."""
        found: str | None = _SUSPENSION_OF.scalar(
            self._connection, for_purpose=purpose, for_recipient=recipient
        )
        return found

    def suspended(self, purpose: str, recipient: str) -> bool:
        """Whether somebody stopped the purpose, the recipient, or just this pair."""
        found = _SUSPENDED.scalar(
            self._connection, purpose=purpose, recipient=recipient
        )
        return found is not None
