"""The logs that an answer rests on, each entry of it with its proof.

A log that continues another names it in its genesis, by its last checkpoint: that
fixes the other one's size and root, whatever its key has signed. So the proofs of a
row of logs lead from one signed tree to the next: the newest to its checkpoint, each
older one to the checkpoint that is in the genesis of the log that follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.audit.annexed import notice_paths
from consentkit.audit.annexes import open_notice
from consentkit.audit.batches import BatchPages
from consentkit.audit.previous import open_pin
from consentkit.audit.search import search_leaves
from consentkit.errors import VerificationError
from consentkit.log.merkle import check_inclusion
from consentkit.log.merkle import prove_inclusion
from consentkit.log.proof import TlogProof
from consentkit.log.proof import format_proof
from consentkit.log.tiles import TileReader

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Sequence

    from consentkit.audit.bundle import Source
    from consentkit.core.notice import Notice
    from consentkit.log.checkpoint import Checkpoint
    from consentkit.log.leaf import Leaf

__all__ = ["Entry", "Found", "ProvenLog", "ShownNotice", "logs_in_a_row"]

_GENESIS = b'"kind":"genesis"'


@dataclass(frozen=True)
class Entry:
    """An entry at its index, and the inclusion proof in the tree that was opened.

    ``checkpoint`` is the signed note of that tree. ``back`` says in which log: 0 is the
    one that was asked, 1 the one before.
    """

    index: int
    leaf: Leaf
    path: tuple[bytes, ...]
    checkpoint: bytes
    back: int = 0

    def proof(self) -> bytes:
        """The ``.tlog-proof`` file, which ``consentkit receipt`` reads as well."""
        return format_proof(
            TlogProof(self.index, self.path, self.checkpoint, self.leaf.data)
        )


@dataclass(frozen=True)
class ShownNotice:
    """A notice as it was logged; ``notice`` is None where its text is not at hand."""

    digest: str
    entry: Entry
    notice: Notice | None


class ProvenLog:
    """One log at an opened checkpoint; what is taken from it is proven against that."""

    def __init__(
        self, source: Source, note: bytes, checkpoint: Checkpoint, *, back: int = 0
    ) -> None:
        self._source = source
        self._note = note
        self._checkpoint = checkpoint
        self._back = back
        self._reader = TileReader(source.read, checkpoint.size)
        self.pages = BatchPages(source)

    def search(self, may_matter: Callable[[bytes], object]) -> Iterator[Found]:
        """The entries whose bytes may matter, in order, not proven yet.

        Raises:
            LogUnavailableError: the source stopped answering.
        """
        size = self._checkpoint.size
        for index, leaf in search_leaves(self._source, size, may_matter):
            yield Found(self, index, leaf)

    def prove(self, index: int, leaf: Leaf) -> Entry:
        """The entry with its proof.

        Raises:
            VerificationError: there is none.
        """
        size, root = self._checkpoint.size, self._checkpoint.root
        try:
            path = tuple(prove_inclusion(index, size, self._reader))
            check_inclusion(leaf.hash, index, size, path, root)
        except VerificationError as error:
            error.step, error.entry = "inclusion", index
            raise
        return Entry(index, leaf, path, self._note, self._back)

    def notice(self, entry: Entry) -> ShownNotice:
        """The notice that this entry logged.

        Raises:
            VerificationError: its files are there, and not what was logged.
        """
        digest = entry.leaf.body["notice"]
        if not all(map(self._has, notice_paths(digest))):
            return ShownNotice(digest, entry, None)
        try:
            notice = open_notice(self._source, entry.leaf.body)
        except VerificationError as error:
            error.step, error.entry = "notice", entry.index
            raise
        return ShownNotice(digest, entry, notice)

    def _has(self, path: str) -> bool:
        try:
            self._source.read(path)
        except VerificationError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Found:
    """An entry where it was found; ``entry`` proves it."""

    log: ProvenLog
    index: int
    leaf: Leaf

    def entry(self) -> Entry:
        """The entry with its proof.

        Raises:
            VerificationError: there is none.
        """
        return self.log.prove(self.index, self.leaf)

    def shown(self) -> ShownNotice:
        """The notice that it logged.

        Raises:
            VerificationError: it is not in the tree, or the text not what was logged.
        """
        return self.log.notice(self.entry())


def logs_in_a_row(
    source: Source, note: bytes, checkpoint: Checkpoint, previous: Sequence[Source]
) -> tuple[list[ProvenLog], list[Entry]]:
    """The log and those before it, the newest first; the entries that name these.

    Raises:
        VerificationError: a log that was given is not named by the one that follows.
        LogUnavailableError: a source stopped answering.
    """
    logs, links = [ProvenLog(source, note, checkpoint)], []
    for back, older in enumerate(previous, start=1):
        found = next(logs[-1].search(lambda data: _GENESIS in data), None)
        pin = None if found is None else open_pin(found.leaf)
        if found is None or pin is None:
            raise VerificationError("no entry names the log before", step="previous")
        links.append(found.entry())
        logs.append(ProvenLog(older, *pin, back=back))
    return logs, links
