"""What an auditor's folder is made of beside tiles and notices, read page by page.

All of it is below a size that was signed: what stands there no longer changes, so the
rows of one export belong together however many acts are committed meanwhile. Only
evidence may go, by an erasure, and cosignatures may come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

import sqlalchemy as sa

from consentkit.core.act import Kind
from consentkit.errors import LogConflictError
from consentkit.store import schema
from consentkit.store.publications import Publications
from consentkit.store.rows import blob
from consentkit.store.subjects import Person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.store.database import Database
    from consentkit.store.logs import LogRow

__all__ = ["Exports", "SealedEvidence"]

_LOG, _LEAF = schema.log, schema.leaf
_EVIDENCE, _SUBJECT = schema.evidence, schema.subject
_CHECKPOINT, _COSIGNATURE = schema.checkpoint, schema.cosignature
_PERSON = ("handle", "data_key", "seq", "head")
_PAGE = 1_000


@dataclass(frozen=True)
class SealedEvidence:
    """The private part of one act, still sealed, and the leaf that commits to it.

    ``person`` is whose key opens it; None if it is about no subject.
    """

    leaf: bytes
    sealed: bytes
    person: Person | None


class Exports:
    """Reads of one log for its auditors."""

    def __init__(self, database: Database, log: LogRow) -> None:
        self._database = database
        self._log = log

    def file(self, path: str) -> bytes:
        """The bytes of one tile or bundle below a signed size.

        Raises:
            LogConflictError: what it is made from is no longer there.
            LogUnavailableError: the database cannot be reached.
            MalformedError: ``path`` is not of the tlog-tiles layout, or what is stored
                is no longer what was stored.
        """
        try:
            return Publications(self._database, self._log).read(path)
        except FileNotFoundError as error:
            raise LogConflictError(
                f"the published entries are not all in the database: {path} cannot be "
                "made from it; compare the two: flask consent rebuild --check"
            ) from error

    def is_closed(self) -> bool:
        """Whether the log was closed: its newest checkpoint is its end, or to be it.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        query = sa.select(_LOG.c.closed).where(_LOG.c.id == self._log.id)
        with self._database.read() as connection:
            return connection.scalar(query) is not None

    def checkpoints(self, size: int) -> Iterator[tuple[int, bytes]]:
        """Every checkpoint signed up to ``size``, each with its cosignatures.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        last = -1
        while True:
            page = (
                sa.select(_CHECKPOINT.c.size, _CHECKPOINT.c.note)
                .where(
                    _CHECKPOINT.c.log == self._log.id,
                    _CHECKPOINT.c.size > last,
                    _CHECKPOINT.c.size <= size,
                )
                .order_by(_CHECKPOINT.c.size)
                .limit(_PAGE)
            )
            with self._database.read() as connection:
                rows = connection.execute(page).all()
                if not rows:
                    return
                lines = self._cosignatures(connection, rows[0][0], rows[-1][0])
            for at, note in rows:
                yield at, blob(note) + b"".join(lines.get(at, ()))
            last = rows[-1][0]

    def _cosignatures(
        self, connection: sa.Connection, first: int, last: int
    ) -> dict[int, list[bytes]]:
        query = (
            sa.select(_COSIGNATURE.c.size, _COSIGNATURE.c.line)
            .where(
                _COSIGNATURE.c.log == self._log.id,
                _COSIGNATURE.c.size.between(first, last),
            )
            .order_by(_COSIGNATURE.c.time, _COSIGNATURE.c.witness)
        )
        lines: dict[int, list[bytes]] = {}
        for size, line in connection.execute(query):
            lines.setdefault(size, []).append(blob(line))
        return lines

    def batches(self, size: int) -> list[str]:
        """The ids of the batches among the first ``size`` leaves.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        query = (
            sa.select(_LEAF.c.id)
            .where(
                _LEAF.c.log == self._log.id,
                _LEAF.c.kind == Kind.DISCLOSURE_BATCH.value,
                _LEAF.c.idx.between(0, size - 1),
            )
            .order_by(_LEAF.c.idx)
        )
        with self._database.read() as connection:
            return list(connection.scalars(query))

    def acts_with_evidence(self, handle: str, size: int) -> Iterator[str]:
        """The ids of the first ``size`` leaves with evidence under this handle.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        last = ""
        while True:
            page = (
                sa.select(_EVIDENCE.c.id)
                .join_from(_EVIDENCE, _LEAF, _EVIDENCE.c.id == _LEAF.c.id)
                .where(
                    _EVIDENCE.c.handle == handle,
                    _EVIDENCE.c.id > last,
                    _LEAF.c.log == self._log.id,
                    _LEAF.c.idx.between(0, size - 1),
                )
                .order_by(_EVIDENCE.c.id)
                .limit(_PAGE)
            )
            with self._database.read() as connection:
                ids = connection.scalars(page).all()
            if not ids:
                return
            yield from ids
            last = ids[-1]

    def evidence(
        self, leaf_id: str, size: int, *, about_nobody: str
    ) -> SealedEvidence | None:
        """The evidence of one of the first ``size`` leaves, None if there is none.

        So it is, too, once the person was erased, even where the law has it held
        back. ``about_nobody`` is the handle of evidence that is about no subject.

        Raises:
            LogUnavailableError: the database cannot be reached.
            MalformedError: what was stored as bytes is no longer bytes.
        """
        person = (_SUBJECT.c[name] for name in _PERSON)
        query: sa.Select[Any] = (
            sa.select(_LEAF.c.bytes, _EVIDENCE.c.sealed, _EVIDENCE.c.handle, *person)
            .join_from(_EVIDENCE, _LEAF, _EVIDENCE.c.id == _LEAF.c.id)
            .outerjoin(_SUBJECT, _SUBJECT.c.handle == _EVIDENCE.c.handle)
            .where(
                _LEAF.c.log == self._log.id,
                _LEAF.c.id == leaf_id,
                _LEAF.c.idx.between(0, size - 1),
            )
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None or (row[3] is None and row[2] != about_nobody):
            return None
        owner = None if row[3] is None else Person(*row[3:])
        return SealedEvidence(blob(row[0]), blob(row[1]), owner)
