"""What rests on a log that ended, and how all of it that was kept by row goes.

Only what no longer counts goes with a log. Of the log itself stay its origin, its size,
its keys, its last checkpoint and what was said of that one: enough to judge an archive
by, or a receipt that somebody kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

import sqlalchemy as sa

from consentkit.core.act import AUTHORISING
from consentkit.core.act import Millis
from consentkit.store import entries
from consentkit.store import partitions
from consentkit.store import schema
from consentkit.store.deliveries import DeliveryStatus
from consentkit.store.rows import blob

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping

    from consentkit.store.database import Database

__all__ = ["MESSAGES", "Dropper", "later_leaves", "what_is_kept"]

MESSAGES = "open messages"
"""By which word those are counted that a recipient has not acknowledged."""

_LOG, _LEAF, _STATE = schema.log, schema.leaf, schema.state
_BY_SIZE = (schema.timestamp, schema.cosignature, schema.checkpoint)
_WHOLE = (schema.tile, schema.witness)


def later_leaves(
    database: Database, handle: str, *, after: int, before: Millis
) -> Iterator[bytes]:
    """What one person did before an instant, in the logs that came after that one.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    query = (
        sa.select(_LEAF.c.bytes)
        .where(
            entries.ANY_LOG,
            _LEAF.c.handle == handle,
            _LEAF.c.log > after,
            _LEAF.c.time < before,
        )
        .order_by(_LEAF.c.log, _LEAF.c.seq)
    )
    with database.read() as connection:
        yield from [blob(data) for data in connection.scalars(query)]


class _Rests:
    """How many of which things need a log's leaves still, by a word for each."""

    def __init__(self, connection: sa.Connection, log_id: int) -> None:
        self._connection = connection
        self._log_id = log_id

    def kept(self, cutoff: Millis) -> dict[str, int]:
        """What is kept of the time since ``cutoff``; nothing is added to that later.

        Reads every line and every entry of a batch: not while others wait.
        """
        line, batch, entry = schema.disclosure, schema.batch, schema.batch_entry
        here = line.c.log == self._log_id
        in_it = (_LEAF.c.log == self._log_id) & entries.not_left_out(_LEAF)
        young = in_it & (_LEAF.c.time >= cutoff)
        return self._counted(
            {
                "entries that are not old enough": (_LEAF, young),
                "disclosures": (line, here | self._holds(line.c.record)),
                "batches": (batch, self._holds(batch.c.leaf)),
                "people in batches": (entry, self._holds(entry.c.record)),
            }
        )

    def standing(self, cutoff: Millis) -> dict[str, int]:
        """What stands now; within the transaction that takes the log out."""
        hold, sent, stop = schema.hold, schema.delivery, schema.suspension
        stands = (
            _STATE.c.state.in_([each.value for each in AUTHORISING])
            & (_STATE.c.until >= cutoff)
            & self._holds(_STATE.c.record)
        )
        of_person = sa.exists().where(
            *(_LEAF.c.log == self._log_id, _LEAF.c.handle == hold.c.handle),
            entries.not_left_out(_LEAF),
        )
        waits = sent.c.status != DeliveryStatus.ACKNOWLEDGED.value
        counted = self._counted(
            {
                "answers that stand": (_STATE, stands),
                "legal holds": (hold, of_person),
                "suspensions": (stop, self._holds(stop.c.leaf)),
            }
        )
        open_messages = (
            sa.select(sent.c.recipient, sa.func.count())
            .where(waits, self._holds(sent.c.record))
            .group_by(sent.c.recipient)
            .order_by(sent.c.recipient)
        )
        for recipient, count in self._connection.execute(open_messages):
            counted[f"{MESSAGES} to {recipient}"] = count
        return counted

    def _counted(
        self, needs: Mapping[str, tuple[sa.Table, sa.ColumnElement[bool]]]
    ) -> dict[str, int]:
        counts = {name: self._count(*each) for name, each in needs.items()}
        return {name: count for name, count in counts.items() if count}

    def _count(self, table: sa.Table, where: sa.ColumnElement[bool]) -> int:
        query = sa.select(sa.func.count()).select_from(table).where(where)
        return self._connection.scalar(query) or 0

    def _holds(self, leaf_id: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        return _holds(self._log_id, leaf_id)


class Dropper:
    """What one write transaction, which overlaps with no other, takes out of a log."""

    def __init__(self, connection: sa.Connection, log_id: int) -> None:
        self._connection = connection
        self._log_id = log_id

    def what_rests(self, cutoff: Millis) -> dict[str, int]:
        """See ``_Rests.standing``."""
        return _Rests(self._connection, self._log_id).standing(cutoff)

    def take_out(self, now: Millis) -> dict[str, int]:
        """Take out all of the log; how many rows of what that were.

        Raises:
            ConfigurationError: the log goes on, or not all of it is published.
        """
        evidence = schema.evidence
        gone = {
            "answers": self._delete(_STATE, self._holds(_STATE.c.record)),
            "evidence": self._delete(evidence, self._holds(evidence.c.id)),
        }
        for table in (schema.reminder, schema.delivery):
            self._delete(table, self._holds(table.c.record))
        last = sa.select(_LOG.c.size).where(_LOG.c.id == self._log_id)
        for table in _BY_SIZE:
            older = table.c.size < last.scalar_subquery()
            self._delete(table, (table.c.log == self._log_id) & older)
        for table in _WHOLE:
            self._delete(table, table.c.log == self._log_id)
        partitions.drop_period(self._connection, self._log_id)
        self._connection.execute(
            sa.update(_LOG).where(_LOG.c.id == self._log_id).values(dropped=now)
        )
        return gone

    def _holds(self, leaf_id: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        return _holds(self._log_id, leaf_id)

    def _delete(self, table: sa.Table, where: sa.ColumnElement[bool]) -> int:
        return self._connection.execute(sa.delete(table).where(where)).rowcount


def what_is_kept(database: Database, log_id: int, cutoff: Millis) -> dict[str, int]:
    """See ``_Rests.kept``.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    with database.read() as connection:
        return _Rests(connection, log_id).kept(cutoff)


def _holds(log_id: int, leaf_id: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether the log holds the leaf with that id."""
    return sa.exists().where(
        *(_LEAF.c.log == log_id, _LEAF.c.id == leaf_id), entries.not_left_out(_LEAF)
    )
