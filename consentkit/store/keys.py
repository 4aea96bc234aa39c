"""Which key may sign from which index on, as the log's own ``key`` leaves say.

One row a key, written with the leaf that says so. No leaf gets in whose signer's range
does not cover the index that it will have: an auditor would refuse it, and it could
never be taken out again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from consentkit.core.act import Kind
from consentkit.errors import LogConflictError
from consentkit.errors import MalformedError
from consentkit.errors import StaleProcessError
from consentkit.log.leaf import read_leaf
from consentkit.log.tiles import MAX_ENTRY_BYTES
from consentkit.store import closures
from consentkit.store import schema
from consentkit.store.postgres import take_log_turn
from consentkit.store.rights import may_only_add
from consentkit.store.rows import blob
from consentkit.store.statement import Statement
from consentkit.store.statement import Upsert

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consentkit.log.leaf import Leaf
    from consentkit.store.database import Database

__all__ = [
    "COLLECTOR",
    "LOG",
    "KeyRange",
    "Keys",
    "check_signer",
    "find_ranges",
    "find_said",
    "note",
    "public_half",
    "range_of",
]

COLLECTOR, LOG = "collector", "log"

_KEY, _LEAF, _LOG = schema.key, schema.leaf, schema.log
_NOTE = Upsert(_KEY, "first", "until")
# By name: it ends at the first plus sign, which no name holds. A log registers no
# second key under a collector's name.
_RANGE = Statement(
    sa.select(_KEY.c.first, _KEY.c.until, _LOG.c.size, _LOG.c.closed)
    .join(_LOG, _LOG.c.id == _KEY.c.log)
    .where(
        _KEY.c.log == sa.bindparam("log"),
        _KEY.c.vkey >= sa.bindparam("from"),
        _KEY.c.vkey < sa.bindparam("to"),
        _KEY.c.role == sa.literal_column(f"'{COLLECTOR}'"),
    )
)
_OF_LOG = _LEAF.c.log == sa.bindparam("log")
# Each part by its own index.
_WAITING = Statement(
    sa.select(sa.func.count()).select_from(
        sa.union_all(
            sa.select(_LEAF.c.position).where(_OF_LOG, _LEAF.c.idx.is_(None)),
            sa.select(_LEAF.c.position).where(
                _OF_LOG, _LEAF.c.idx >= sa.bindparam("size")
            ),
        )
        .limit(sa.bindparam("most", type_=sa.Integer))
        .offset(sa.literal_column("0"))  # or else another parameter, of its own name
        .subquery()
    )
)


@dataclass(frozen=True, slots=True)
class KeyRange:
    """A key, its role, and the indices [first, until) that it may sign."""

    vkey: str
    role: str
    first: int
    until: int | None = None

    @property
    def name(self) -> str:
        """The name on the key's signature lines."""
        return self.vkey.partition("+")[0]

    @property
    def id(self) -> str:
        """The key's id, eight hex digits: what tells two keys of one name apart."""
        return self.vkey.split("+", 2)[1]

    def covers(self, index: int) -> bool:
        """Whether an entry at that index may be signed with it."""
        return self.first <= index and (self.until is None or index < self.until)

    @property
    def signs_on(self) -> bool:
        """Whether no end was set yet."""
        return self.until is None

    def signs_checkpoint(self, size: int) -> bool:
        """Whether a log's key signs the checkpoint of that size.

        From the one that covers the leaf which registered it, to the last one that
        does not cover the leaf which retired it.
        """
        return self.first <= size and (self.until is None or size <= self.until)


def public_half(vkey: str) -> str:
    """What two keys have in common that differ in their names alone."""
    return vkey.split("+", 2)[2]


class Keys:
    """The keys of one log."""

    def __init__(self, database: Database, log_id: int) -> None:
        self._database = database
        self._log_id = log_id

    def ranges(self, role: str | None = None) -> tuple[KeyRange, ...]:
        """Every key that was ever registered, or those in a role, oldest first.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        with self._database.read() as connection:
            found = find_ranges(connection, self._log_id)
        return tuple(each for each in found if role in (None, each.role))

    def check(self) -> None:
        """Hold the rows against the leaves; those of an older version get theirs now.

        Raises:
            LogConflictError: the rows say something else than the leaves.
            LogUnavailableError: the database cannot be reached or written.
        """
        with self._database.read() as connection:
            rows = find_ranges(connection, self._log_id)
        if not rows:
            with self._database.write() as connection:
                for data, _ in _key_leaves(connection, self._log_id):
                    note(connection, self._log_id, read_leaf(blob(data)))
                rows = find_ranges(connection, self._log_id)
        with self._database.read() as connection:
            said = _said(connection, self._log_id, rows)
        if {each.vkey: each for each in rows} != said:
            raise LogConflictError(
                "the table of keys is not what the log's key leaves say: it was "
                "changed by hand; compare the database with the published log"
            )


def note(connection: sa.Connection, log_id: int, leaf: Leaf) -> None:
    """Keep what a ``key`` leaf says; of other leaves there is nothing to keep."""
    if leaf.kind is Kind.KEY:
        found = range_of(leaf)
        _NOTE.run(
            connection,
            log=log_id,
            vkey=found.vkey,
            role=found.role,
            first=found.first,
            until=found.until,
        )


def _has_come_to(connection: sa.Connection, log_id: int, index: int, size: int) -> bool:
    """Whether the next leaf has that index or a later one; counts no more than needed.

    Whoever has to count waits for others who do: nobody gets in between.
    """
    missing = index - size
    if missing <= 0:
        return True
    take_log_turn(connection, log_id)
    waiting: int = _WAITING.scalar(connection, log=log_id, size=size, most=missing)
    return missing == waiting


def check_signer(connection: sa.Connection, log_id: int, leaf: Leaf) -> None:
    """Refuse a leaf that its signer may not sign any more, or not yet.

    The published size settles it, but for a key that was changed a moment ago.

    Raises:
        StaleProcessError: the log was closed, the key was retired, or the log never
            heard of it.
    """
    for name in leaf.claimed:
        rows = _RANGE.rows(
            connection, log=log_id, **{"from": f"{name}+", "to": f"{name},"}
        )
        if any(closed is not None for *_, closed in rows):
            raise closures.refusal(connection, log_id)
        if not any(
            _has_come_to(connection, log_id, first, size)
            and (until is None or not _has_come_to(connection, log_id, until, size))
            for first, until, size, _ in rows
        ):
            raise StaleProcessError(
                f"the signing key {name!r} was retired or is not registered, so it may "
                "not sign the next entry of this log; nothing was stored. Restart: "
                "this process holds a retired key"
            )


def range_of(leaf: Leaf) -> KeyRange:
    """What a ``key`` leaf says."""
    body = leaf.body
    return KeyRange(body["vkey"], body["role"], body["from"], body.get("until"))


def find_ranges(connection: sa.Connection, log_id: int) -> list[KeyRange]:
    """Every key that was ever registered, oldest first."""
    columns = (_KEY.c[name] for name in ("vkey", "role", "first", "until"))
    query = sa.select(*columns).where(_KEY.c.log == log_id)
    rows = connection.execute(query.order_by(_KEY.c.first, _KEY.c.vkey)).all()
    return [KeyRange(*row) for row in rows]


def find_said(connection: sa.Connection, log_id: int) -> set[KeyRange]:
    """What the key leaves say that have a number.

    Raises:
        LogConflictError: one of them is no leaf any more.
    """
    leaves = _key_leaves(connection, log_id)
    try:
        return {range_of(read_leaf(blob(data))) for data, waits in leaves if not waits}
    except MalformedError as error:
        raise LogConflictError(
            "an entry that registered a key is not as it was: nothing was signed; "
            "compare the database with the published log"
        ) from error


def _said(
    connection: sa.Connection, log_id: int, rows: Iterable[KeyRange]
) -> dict[str, KeyRange]:
    """What the key leaves say of each key.

    A row that waits is no such leaf where it cannot be read, or where it may be by
    somebody who cannot write ``rows`` and it says something else: whoever writes one
    writes both. It will be left out (``admission``).
    """
    known = set(rows)
    apart = may_only_add(connection)
    said: dict[str, KeyRange] = {}
    for data, waits in _key_leaves(connection, log_id):
        try:
            found = range_of(read_leaf(blob(data)))
        except MalformedError:
            if not waits:
                raise
            continue
        if not (waits and apart) or found in known:
            said[found.vkey] = found
    return said


def _key_leaves(connection: sa.Connection, log_id: int) -> list[tuple[object, bool]]:
    """Each of them, and whether it waits for its number; in the order of writing."""
    # Spelled out, as the condition of the partial index is.
    is_key = _LEAF.c.kind == sa.literal_column(f"'{Kind.KEY.value}'")
    query = sa.select(_LEAF.c.bytes, _LEAF.c.idx.is_(None)).where(
        *(_LEAF.c.log == log_id, is_key, _LEAF.c.idx.is_(None) | (_LEAF.c.idx >= 0)),
        sa.func.length(_LEAF.c.bytes)
        <= MAX_ENTRY_BYTES,  # of what waits, anything goes
    )
    rows = connection.execute(query.order_by(_LEAF.c.position))
    return [(data, bool(waits)) for data, waits in rows]
