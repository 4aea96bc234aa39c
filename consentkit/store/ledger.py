"""One write transaction: the signed leaf, the state it makes and its private evidence.

Either all of it is committed or none. Leaves go in unnumbered; the publisher numbers
them later, so that writers do not queue behind each other.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import sqlalchemy as sa

from consentkit.store import schema
from consentkit.store import subjects
from consentkit.store.rows import STATUS_COLUMNS
from consentkit.store.rows import row_of
from consentkit.store.rows import status_from

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator

    from consentkit.core.act import Millis
    from consentkit.core.notice import Notice
    from consentkit.core.status import Status
    from consentkit.log.leaf import Leaf
    from consentkit.store.database import Database
    from consentkit.store.subjects import Person

__all__ = ["Ledger", "Transaction"]

_INSERT_LEAF = sa.insert(schema.leaf)
_INSERT_EVIDENCE = sa.insert(schema.evidence)
_INSERT_DISCLOSURE = sa.insert(schema.disclosure)
_STATE = schema.state
_STATUSES = sa.select(
    _STATE.c.purpose, _STATE.c.recipient, *(_STATE.c[name] for name in STATUS_COLUMNS)
).where(_STATE.c.subject == sa.bindparam("subject"))
_DELETE_STATE = sa.delete(_STATE).where(
    _STATE.c.subject == sa.bindparam("s"),
    _STATE.c.purpose == sa.bindparam("p"),
    _STATE.c.recipient == sa.bindparam("r"),
)
_INSERT_STATE = sa.insert(_STATE)
_BY_CHALLENGE = sa.select(schema.leaf.c.bytes).where(
    schema.leaf.c.log == sa.bindparam("log"),
    schema.leaf.c.challenge == sa.bindparam("challenge"),
)
_HASH_BY_ID = sa.select(schema.leaf.c.hash).where(
    schema.leaf.c.log == sa.bindparam("log"), schema.leaf.c.id == sa.bindparam("id")
)
_NOTICE_KNOWN = sa.select(sa.literal(1)).where(
    schema.notice.c.digest == sa.bindparam("digest")
)
_SUSPENDED = sa.select(sa.literal(1)).where(
    schema.suspension.c.purpose.in_(["", sa.bindparam("purpose")]),
    schema.suspension.c.recipient.in_(["", sa.bindparam("recipient")]),
)


class Ledger:
    """Where acts are written."""

    def __init__(self, database: Database, log_id: int) -> None:
        self._database = database
        self._log_id = log_id

    @contextlib.contextmanager
    def write(self) -> Iterator[Transaction]:
        """One transaction: all of it is there afterwards, or nothing.

        Raises:
            LogConflictError: a row contradicts what is already there.
            LogUnavailableError: the database cannot be reached or written.
        """
        with self._database.write() as connection:
            yield Transaction(connection, self._log_id)


class Transaction:
    """What can be done within one write transaction."""

    def __init__(self, connection: sa.Connection, log_id: int) -> None:
        self._connection = connection
        self._log_id = log_id

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
            LogConflictError: its id, its challenge or its place is already taken.
        """
        self._connection.execute(
            _INSERT_LEAF,
            {
                "log": self._log_id,
                "id": leaf.id,
                "kind": leaf.kind.value,
                "hash": leaf.hash,
                "bytes": leaf.data,
                "handle": leaf.subject,
                "seq": leaf.seq,
                "challenge": leaf.body.get("challenge") or None,
                "time": leaf.time,
            },
        )
        if subject is not None and leaf.seq is not None:
            subjects.move_head(self._connection, subject, leaf.seq, leaf.hash.hex())

    def statuses(self, subject: str) -> dict[tuple[str, str], Status]:
        """Every standing answer of one person, by (purpose, recipient)."""
        rows = self._connection.execute(_STATUSES, {"subject": subject})
        return {(row[0], row[1]): status_from(tuple(row[2:])) for row in rows}

    def set_status(self, subject: str, key: tuple[str, str], status: Status) -> None:
        """Replace the standing answer to one question."""
        purpose, recipient = key
        self._connection.execute(
            _DELETE_STATE, {"s": subject, "p": purpose, "r": recipient}
        )
        self._connection.execute(
            _INSERT_STATE,
            {
                "subject": subject,
                "purpose": purpose,
                "recipient": recipient,
                **row_of(status),
            },
        )

    def add_evidence(self, *, act: str, handle: str, sealed: bytes) -> None:
        """Keep the private part of an act, encrypted."""
        self._connection.execute(
            _INSERT_EVIDENCE, {"id": act, "handle": handle, "sealed": sealed}
        )

    def add_disclosure(self, leaf: Leaf, *, subject: str, reason: str) -> None:
        """List a share, or a refused attempt, for the person's own overview."""
        body = leaf.body
        self._connection.execute(
            _INSERT_DISCLOSURE,
            {
                "id": leaf.id,
                "subject": subject,
                "time": leaf.time,
                "purpose": body["purpose"],
                "recipient": body["recipient"],
                "data": " ".join(body["data"]),
                "reason": reason,
                "record": body.get("record", ""),
            },
        )

    def leaf_of_challenge(self, challenge: str) -> bytes | None:
        """The leaf that already spent this challenge, if any."""
        found = self._connection.scalar(
            _BY_CHALLENGE, {"log": self._log_id, "challenge": challenge}
        )
        return bytes(found) if found is not None else None

    def leaf_hash(self, leaf_id: str) -> bytes | None:
        """The hash of the leaf with that id, if there is one."""
        found = self._connection.scalar(
            _HASH_BY_ID, {"log": self._log_id, "id": leaf_id}
        )
        return bytes(found) if found is not None else None

    def knows_notice(self, digest: str) -> bool:
        """Whether a notice is already stored, and therefore logged."""
        return self._connection.scalar(_NOTICE_KNOWN, {"digest": digest}) is not None

    def add_notice(self, notice: Notice, *, now: Millis) -> None:
        """Store a notice for good: manifest and the very bytes that are shown."""
        self._connection.execute(
            sa.insert(schema.notice).values(
                digest=notice.digest,
                manifest=notice.manifest_bytes,
                html=notice.html,
                created=now,
            )
        )

    def suspended(self, purpose: str, recipient: str) -> bool:
        """Whether somebody stopped the purpose, the recipient, or just this pair."""
        found = self._connection.scalar(
            _SUSPENDED, {"purpose": purpose, "recipient": recipient}
        )
        return found is not None
