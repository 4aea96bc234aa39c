"""Is the private evidence there that the leaves commit to, and only that?

Evidence may go with an erasure, with a purge, or with the end of a legal hold, and
each of them is a leaf. What is missing without one was destroyed unlawfully; what is
still there after one was never destroyed. Each row is opened and held against the
commitment in its leaf, so that a key which was overwritten is found as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING
from typing import Any

from consentkit.audit.replay import ANSWERS
from consentkit.core import canonical
from consentkit.errors import VerificationError
from consentkit.log import sealing
from consentkit.service.administering import CONTROLLER_HANDLE
from consentkit.service.retention import Lifetimes
from consentkit.store.rows import blob

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping

    from consentkit.core.act import Millis
    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation
    from consentkit.store.erasing import SealedRow

__all__ = ["BARRED", "StoredEvidence", "ToldEvidence", "open_facts"]

BARRED = "barred_until"
"""The fact of an official's act that keeps a release from its person until then."""

_NOTHING = sealing.commit(())  # an act without private facts has no row


def open_facts(
    log: str, act: str, sealed: bytes, data_key: bytes
) -> list[sealing.Disclosure]:
    """The private facts of one act in the log of that origin.

    Raises:
        VerificationError: they were sealed under another key or for another act, or
            were changed.
    """
    context = sealing.evidence_context(log, act)
    encoded = canonical.decode(sealing.unseal(data_key, sealed, context))
    listed = encoded if isinstance(encoded, list) else []
    return [sealing.parse_disclosure(str(each)) for each in listed]


@dataclass
class StoredEvidence:
    """What is stored: by leaf id, the handle and what it commits to, None if unread.

    ``held`` are the handles under a legal hold, ``purged`` what each tombstone says,
    ``barred`` until when an act keeps a release from its person.
    """

    rows: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    purged: dict[str, Any] = field(default_factory=dict)
    barred: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, installation: Installation) -> StoredEvidence:
        """Open every row.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        stored = cls(held={each.handle for each in installation.erasures.holds()})
        for row in installation.erasures.all_evidence():
            stored.take(row, _opened(installation, row))
        return stored

    def take(self, row: SealedRow, facts: list[sealing.Disclosure] | None) -> None:
        """Note what one row commits to."""
        commitment = None if facts is None else sealing.commit(facts)
        self.rows[row.id] = row.handle, commitment
        if row.handle == CONTROLLER_HANDLE:
            for each in facts or ():
                if each.name == "purged":
                    self.purged[row.id] = each.value
                if each.name == BARRED:
                    self.barred[row.id] = each.value


def _opened(
    installation: Installation, row: SealedRow
) -> list[sealing.Disclosure] | None:
    keyring = installation.keyring
    try:
        if row.handle == CONTROLLER_HANDLE:
            data_key = keyring.controller_key
        else:
            of_hold = row.wrapped_key is None
            data_key = sealing.unwrap_key(
                blob(row.held_key if of_hold else row.wrapped_key),
                keyring.hold_key if of_hold else keyring.key_encryption_key,
                row.handle.encode(),
            )
        return open_facts(str(row.log), row.id, blob(row.sealed), data_key)
    except VerificationError:
        return None


@dataclass
class ToldEvidence:
    """What the leaves so far say must be stored, person by person.

    ``erased`` are the handles of erased persons with what was there until then.
    """

    rows: dict[str, dict[str, str]] = field(default_factory=dict)
    erased: dict[str, dict[str, str]] = field(default_factory=dict)
    _lifetimes: Lifetimes = field(default_factory=Lifetimes)

    def apply(self, leaf: Leaf) -> None:
        """Take in the next leaf."""
        if leaf.kind in ANSWERS:
            self._lifetimes.apply(leaf)
        commitment = leaf.body.get("evidence", _NOTHING)
        if commitment != _NOTHING:
            handle = str(leaf.subject or CONTROLLER_HANDLE)
            self.rows.setdefault(handle, {})[leaf.id] = commitment

    def forget(self, handle: str) -> None:
        """The person was erased; what they had is there only while it is held."""
        self._lifetimes.forget(handle)
        self.erased[handle] = self.rows.pop(handle, {})

    def purge(self, cutoff: Millis) -> set[str]:
        """Take out what a purge before ``cutoff`` takes out; which leaves that were."""
        ended = self._lifetimes.ended_before(cutoff)
        gone: set[str] = set()
        for handle, rows in self.rows.items():
            of_this = rows.keys() & ended
            gone |= of_this
            self.rows[handle] = {
                each: rows[each] for each in rows if each not in of_this
            }
        return gone

    def differences(self, stored: StoredEvidence) -> Iterator[str]:
        """Each piece of evidence that is missing, left over, or not what it was."""
        for handle in sorted(stored.held - self.erased.keys()):
            yield f"subject {handle}: evidence is held, and no erasure says so"
        due = self._due(stored.held)
        for act in sorted(due.keys() | stored.rows.keys(), key=str):
            what = _difference(due.get(act), stored.rows.get(act))
            if what:
                yield f"leaf {act}: {what}"

    def _due(self, held: set[str]) -> Mapping[str, tuple[str, str]]:
        kept = {each: rows for each, rows in self.erased.items() if each in held}
        return {
            act: (handle, commitment)
            for handle, rows in (*self.rows.items(), *kept.items())
            for act, commitment in rows.items()
        }


def _difference(
    due: tuple[str, str] | None, stored: tuple[str, str | None] | None
) -> str:
    if stored is None:
        return "its evidence is missing, and no erasure or purge says that it went"
    if due is None:
        return "its evidence is stored, and by the leaves it went or never was"
    if stored[1] is None:
        return "its evidence does not open: it or its key was changed"
    return "" if stored == due else "its evidence is not what the leaf commits to"
