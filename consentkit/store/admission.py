"""What a leaf has to be before it gets a number: once signed, it never goes away again.

Where web processes log in as a role that may only add leaves, whoever takes one over
can add any row. Each is read and held against what that role cannot write:

1. hash: the row's hash is that of its bytes.
2. leaf: the bytes are a leaf, in its only spelling.
3. log: it was written for this log.
4. signature: by a collector key that is registered for the number it would get. Only
   where such roles are: elsewhere whoever adds a row can change anything.
5. row: the columns say what the leaf says.
6. chain: it continues the entries of its subject.
7. order: the genesis comes first; keys and the end of the log are what the tables say
   that the owner of the tables alone writes.

All of it holds of whatever ``Transaction.append`` wrote.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

import sqlalchemy as sa

from consentkit.core.act import Kind
from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.log.keys import Verifier
from consentkit.log.leaf import split_leaf
from consentkit.log.merkle import hash_leaf
from consentkit.log.note import split_note
from consentkit.log.tiles import MAX_ENTRY_BYTES
from consentkit.store import keys
from consentkit.store import schema
from consentkit.store.rights import may_only_add

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consentkit.log.leaf import Leaf
    from consentkit.log.note import UnverifiedNote
    from consentkit.store.keys import KeyRange

__all__ = ["APPLICANT", "Admission", "Applicant", "Fault"]

_LEAF, _LOG = schema.leaf, schema.log
_BEFORE = schema.leaf.alias("before")
# No more is fetched than a leaf may have: a row can hold a gigabyte.
_BYTES = sa.case(
    (
        sa.func.length(_LEAF.c.bytes) <= sa.literal_column(str(MAX_ENTRY_BYTES)),
        _LEAF.c.bytes,
    )
).label("bytes")
APPLICANT = (
    *(_LEAF.c[name] for name in ("position", "id", "kind", "hash")),
    _BYTES,
    *(_LEAF.c[name] for name in ("handle", "seq", "challenge", "time")),
    sa.select(_BEFORE.c.hash)
    .where(
        _BEFORE.c.log == _LEAF.c.log,
        _BEFORE.c.handle == _LEAF.c.handle,
        _BEFORE.c.seq == _LEAF.c.seq - 1,
        _BEFORE.c.kind != Kind.ERASURE.value,  # nothing goes on after one
        _BEFORE.c.idx.is_(None) | (_BEFORE.c.idx >= 0),
    )
    .correlate(_LEAF)
    .scalar_subquery()
    .label("before"),
)
"""The columns of an ``Applicant``, in one read of the leaves."""


class Applicant(NamedTuple):
    """A row that waits for its number; ``before`` is the hash of the subject's last.

    As it was stored: SQLite keeps any type in any column. ``bytes`` are None where they
    are more than a leaf may have.
    """

    position: int
    id: Any
    kind: Any
    hash: Any
    bytes: Any
    handle: Any
    seq: Any
    challenge: Any
    time: Any
    before: Any

    @property
    def found_hash(self) -> bytes:
        """The leaf hash of the bytes that are there, whatever they are."""
        return hash_leaf(self.bytes if isinstance(self.bytes, bytes) else b"")


class Fault(NamedTuple):
    """Why a row may not be signed.

    ``stops`` where it may be honest all the same, or nobody but the owner of the tables
    could have added it: nothing is signed then, until somebody has looked.
    """

    what: str
    stops: bool


@dataclass
class Admission:
    """Judges rows one by one, in the order of their positions.

    ``apart`` says that somebody may add leaves who may change nothing. ``said`` is
    what key leaves with a number say already.
    """

    origin: str
    is_closed: bool
    apart: bool
    ranges: Sequence[KeyRange]
    said: set[KeyRange]
    _turned_away: set[tuple[Any, Any]] = field(default_factory=set)
    _verifiers: dict[str, Verifier] = field(default_factory=dict)

    @classmethod
    def now(cls, connection: sa.Connection, log_id: int) -> Admission:
        """What the tables say of that log; read after the rows that are judged.

        What signed those, or ended the log with them, was committed before them.
        """
        query = sa.select(_LOG.c.origin, _LOG.c.closed).where(_LOG.c.id == log_id)
        origin, closed = connection.execute(query).one()
        return cls(
            origin,
            closed is not None,
            may_only_add(connection),
            keys.find_ranges(connection, log_id),
            keys.find_said(connection, log_id),
        )

    def fault(self, row: Applicant, number: int) -> Fault | None:
        """What speaks against giving that row that number; None if nothing does."""
        found = self._fault(row, number)
        if found is not None:
            self._turned_away.add((row.handle, row.seq))
        return found

    def _fault(self, row: Applicant, number: int) -> Fault | None:
        # 1. hash
        if row.bytes is None:
            return self._foreign("it is longer than an entry may be")
        if not isinstance(row.bytes, bytes) or row.hash != row.found_hash:
            return self._foreign("it is not as it was written")
        # 2. leaf
        try:
            leaf, note = split_leaf(row.bytes, known_hash=row.hash)
        except MalformedError:
            return self._unreadable(row.bytes, number)
        wrong = self._wrong(row, leaf, note, number)
        return self._foreign(wrong) if wrong else None

    def _wrong(
        self, row: Applicant, leaf: Leaf, note: UnverifiedNote, number: int
    ) -> str:
        # 3. log
        if leaf.log != self.origin:
            return "it was written for another log"
        # 4. signature
        if self.apart and not self._is_signed(note, number):
            return "no collector key of this log signed it"
        # 5. row
        columns = (row.id, row.kind, row.handle, row.seq, row.challenge, row.time)
        if columns != _columns_of(leaf):
            return "it is not what its row says"
        # 6. chain
        if leaf.seq and row.before != bytes.fromhex(leaf.prev or ""):
            return "it does not continue its subject's entries"
        if leaf.seq and (row.handle, leaf.seq - 1) in self._turned_away:
            return "it continues an entry that is not in the log"
        # 7. order
        if not self._is_in_order(leaf, number):
            return f"no entry of kind {leaf.kind.value} is due there"
        return ""

    def _foreign(self, what: str) -> Fault:
        return Fault(what, stops=not (self.apart and self.ranges))

    def _unreadable(self, data: bytes, number: int) -> Fault:
        """A process of a newer version may write what this one cannot read."""
        try:
            signed = self._is_signed(split_note(data), number)
        except MalformedError:
            signed = False
        if signed:
            return Fault("it is signed, and no entry that this version reads", True)
        return self._foreign("it is no entry")

    def _is_signed(self, note: UnverifiedNote, number: int) -> bool:
        lines = [
            (self._verifier(each), line.signature)
            for line in note.signatures
            for each in self.ranges
            if each.role == keys.COLLECTOR
            and (each.name, each.id) == (line.name, line.key_id.hex())
            and each.covers(number)
        ]
        try:
            for verifier, signature in lines:
                verifier.verify(note.text, signature)
        except InvalidSignatureError:
            return False
        return bool(lines)

    def _verifier(self, key: KeyRange) -> Verifier:
        if key.vkey not in self._verifiers:
            self._verifiers[key.vkey] = Verifier.parse(key.vkey)
        return self._verifiers[key.vkey]

    def _is_in_order(self, leaf: Leaf, number: int) -> bool:
        if leaf.kind is Kind.KEY:
            return self._may_say(keys.range_of(leaf))
        if leaf.kind is Kind.CLOSURE:
            return self.is_closed
        return (leaf.kind is Kind.GENESIS) == (number == 0)

    def _may_say(self, told: KeyRange) -> bool:
        """Whether the table may have this from a ``key`` leaf, or it and a later one.

        No leaf says the same twice: a key that was retired never comes back.
        """
        if told in self.said:
            return False
        self.said.add(told)
        return any(told in (each, replace(each, until=None)) for each in self.ranges)


def _columns_of(leaf: Leaf) -> tuple[object, ...]:
    challenge = leaf.body.get("challenge") or None
    return (leaf.id, leaf.kind.value, leaf.subject, leaf.seq, challenge, leaf.time)
