"""One share with many people: an entry for each, and the tree over all of them.

An entry is two lines, in this spelling and no other::

    consentkit/batch-entry@v1
    {"grant":"<64 hex>","record":"<32 hex>","scope":"<64 hex>","subject":"<32 hex>"}

``subject`` is the person's handle, ``record`` the id of the act that it rests on,
``grant`` the hash of that act's leaf, and ``scope`` what the grant was given for. The
entries stand in the order of their handles, each once, and are hashed and folded as
leaves of a log are (RFC 6962 §2.1); the root is that of the ``disclosure-batch`` leaf.

A handle is 128 random bits that only the collector, the person and auditors know: who
sees the hashes of a proof learns nothing about anybody else (``docs/adr/0023``).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.errors import MalformedError
from consentkit.log.merkle import CompactRange
from consentkit.log.merkle import hash_leaf
from consentkit.log.merkle import root_of
from consentkit.log.tiles import TILE_HEIGHT
from consentkit.log.tiles import TILE_WIDTH

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable

__all__ = ["BatchEntry", "BatchTree", "hash_entries", "parse_entry"]

_CONTEXT = b"consentkit/batch-entry@v1\n"
_LEAF = (b"\x00" + _CONTEXT).decode()  # RFC 6962 §2.1: leaves begin with 00
_END = '"}\n'
_HEX = "[0-9a-f]"
_LINE = re.compile(
    rf'\{{"grant":"({_HEX}{{64}})","record":"({_HEX}{{32}})",'
    rf'"scope":"({_HEX}{{64}})","subject":"({_HEX}{{32}})"\}}'.encode()
)


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """That one person was in a batch. All values are hex."""

    subject: str
    record: str
    grant: str
    scope: str

    @property
    def line(self) -> bytes:
        """The second line, without its end: canonical JSON."""
        return _line(self.subject, self.record, self.grant, self.scope).encode()

    def to_dict(self) -> dict[str, str]:
        """Its members, by name."""
        return {
            "grant": self.grant,
            "record": self.record,
            "scope": self.scope,
            "subject": self.subject,
        }

    @property
    def hash(self) -> bytes:
        """Its hash as a leaf of the batch's tree."""
        return hash_leaf(_CONTEXT + self.line + b"\n")


def parse_entry(line: bytes) -> BatchEntry:
    """The entry whose second line this is, without its end.

    Raises:
        MalformedError: it is none, or not in its only spelling.
    """
    found = _LINE.fullmatch(line)
    if found is None:
        raise MalformedError(
            "expected an entry of a batch: an object of grant, record, scope and "
            "subject, in hex"
        )
    grant, record, scope, subject = (each.decode() for each in found.groups())
    return BatchEntry(subject, record, grant, scope)


def hash_entries(
    entries: Iterable[tuple[str, str, bytes]], *, scope: str
) -> list[bytes]:
    """The hashes of entries given as (subject, record, grant), as ``BatchEntry.hash``.

    A million of them are a second; as objects, several.
    """
    sha256 = hashlib.sha256
    begin, then = _LEAF + '{"grant":"', '","record":"'
    between = '","scope":"' + scope + '","subject":"'
    # Joined by +, which takes nothing but texts: no other value is spelled as one.
    return [
        sha256(
            (begin + grant.hex() + then + record + between + subject + _END).encode()
        ).digest()
        for subject, record, grant in entries
    ]


class BatchTree:
    """The tree over hashes that come in order, handed over tile by tile.

    ``keep`` is called with (level, number, hashes) of each tile as soon as it is
    whole, and for the others by ``finish``. Some thousand hashes are in memory.
    """

    def __init__(self, keep: Callable[[int, int, bytes], None]) -> None:
        self._keep = keep
        self._levels: list[list[bytes]] = [[]]
        self._kept = [0]

    def add(self, hashes: Iterable[bytes]) -> None:
        """Add leaves at the right."""
        lowest = self._levels[0]
        lowest.extend(hashes)
        while len(lowest) >= TILE_WIDTH:
            self._rise(0)

    def finish(self) -> bytes:
        """The root; ``keep`` has been called for every tile."""
        found = CompactRange()
        for level in reversed(range(len(self._levels))):
            for each in self._levels[level]:
                found.append(each, level=level * TILE_HEIGHT)
        for level, hashes in enumerate(self._levels):
            if hashes:
                self._keep(level, self._kept[level], b"".join(hashes))
        return found.root()

    def _rise(self, level: int) -> None:
        """Hand the first whole tile of a level over; its root is one hash above."""
        hashes = self._levels[level]
        tile = hashes[:TILE_WIDTH]
        del hashes[:TILE_WIDTH]
        self._keep(level, self._kept[level], b"".join(tile))
        self._kept[level] += 1
        if level + 1 == len(self._levels):
            self._levels.append([])
            self._kept.append(0)
        above = self._levels[level + 1]
        above.append(root_of(tile))
        if len(above) == TILE_WIDTH:
            self._rise(level + 1)


def _line(subject: str, record: str, grant: str, scope: str) -> str:
    return (
        f'{{"grant":"{grant}","record":"{record}","scope":"{scope}",'
        f'"subject":"{subject}"}}'
    )
