"""The end of a log: after its closure nothing gets in any more, in whichever process.

A log that is closed stays where it is, with its tiles and checkpoints, so that what it
proves can be proven for ever. Another one in the same database may follow it.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING
from typing import NamedTuple

import sqlalchemy as sa

from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.errors import MalformedError
from consentkit.errors import StaleProcessError
from consentkit.log.leaf import read_leaf
from consentkit.store import schema
from consentkit.store.rows import blob

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Closure", "close", "find_closure", "refusal"]

_LEAF, _LOG = schema.leaf, schema.log


class Closure(NamedTuple):
    """What a log's last leaf says: why it ends, and the origin that follows."""

    reason: str
    successor: str


def close(connection: sa.Connection, log_id: int, now: Millis) -> None:
    """Let no further leaf in, from the end of this transaction on."""
    connection.execute(sa.update(_LOG).where(_LOG.c.id == log_id).values(closed=now))


def find_closure(connection: sa.Connection, log_id: int) -> Closure | None:
    """What was said when the log was closed; None if it is open, or was dropped.

    What a dropped one said, the genesis of the log that follows it repeats.
    """
    query = sa.select(_LOG.c.size).where(
        _LOG.c.id == log_id, _LOG.c.closed.is_not(None), _LOG.c.dropped.is_(None)
    )
    size = connection.scalar(query)
    if size is None:
        return None
    return next(_closures(connection, log_id, size), None)


def _closures(connection: sa.Connection, log_id: int, size: int) -> Iterator[Closure]:
    """The closure: where it is not published yet, the first that waits.

    What somebody put behind it is no part of the log, nor what is no leaf at all.
    """
    closures = sa.select(_LEAF.c.bytes).where(
        _LEAF.c.log == log_id, _LEAF.c.kind == Kind.CLOSURE.value
    )
    numbered = closures.where(_LEAF.c.idx >= size - 1).order_by(_LEAF.c.idx)
    waiting = closures.where(_LEAF.c.idx.is_(None)).order_by(_LEAF.c.position)
    for query in (numbered, waiting):
        for data in connection.scalars(query).all():
            with contextlib.suppress(MalformedError):
                body = read_leaf(blob(data)).body
                yield Closure(body["reason"], body.get("successor", ""))


def refusal(connection: sa.Connection, log_id: int) -> StaleProcessError:
    """What to say to whoever still writes to a log that was closed."""
    later = (
        sa.select(_LOG.c.origin).where(_LOG.c.id > log_id).order_by(_LOG.c.id.desc())
    )
    closure = find_closure(connection, log_id)
    successor = connection.scalar(later.limit(1)) or (closure and closure.successor)
    return StaleProcessError(
        "this log was closed, and nothing was stored: restart with "
        f"CONSENTKIT_LOG_ORIGIN = {successor or 'a new name'!r}"
    )
