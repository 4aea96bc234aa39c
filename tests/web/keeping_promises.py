"""Was anybody lied to? What people were told, held against log, receipts and state.

The keys are taken down when the app starts, before anything goes wrong. All else is
judged by ``consentkit.audit``, from the folder of the published log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.audit.bundle import FolderSource
from consentkit.audit.kept import History
from consentkit.audit.receipt import verify_receipt
from consentkit.audit.tree import walk_bundles
from consentkit.audit.trust import Trust
from consentkit.audit.verify import verify_log
from consentkit.errors import VerificationError
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.leaf import open_leaf
from consentkit.log.leaf import read_leaf
from consentkit.service.publishing import publish_all
from consentkit.service.rebuilding import differences

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consentkit.service.installation import Installation
    from tests.web.promised import Told

__all__ = ["Auditor"]


@dataclass(frozen=True)
class Auditor:
    """Somebody outside, with the keys of before and the address of the log's folder."""

    trust: Trust
    logs: Path

    @classmethod
    def of(cls, installation: Installation) -> Auditor:
        """With the keys of an installation that was just begun; closes it."""
        publish_all(installation)
        found = cls(Trust.of(installation.keyring.vkeys), installation.log_folder)
        installation.close()
        return found

    def check(self, told: Told, installation: Installation) -> None:
        """Nothing that was told is untrue, once all is published; closes it."""
        publish_all(installation)
        faults = [
            *self.faults_in_log(told),
            *_faults_in_state(told, installation),
            *differences(installation),
        ]
        installation.close()
        assert not faults, "\n".join(faults)

    def size(self) -> int:
        """How many entries are published."""
        note = (self.logs / "checkpoint").read_bytes()
        return open_checkpoint(note, self.trust.log).size

    def faults_in_log(self, told: Told) -> Iterator[str]:
        """What does not hold of the log and of all that was handed out of it."""
        kept = [(f"checkpoint {n}", note) for n, note in enumerate(told.checkpoints)]
        kept += [(f"receipt {record}", told.proofs[record]) for record in told.proofs]
        source = FolderSource(self.logs)
        try:
            history = History.open(kept, trust=self.trust)
            verify_log(source, trust=self.trust, history=history)
        except VerificationError as error:
            yield f"the log: {error}"
        entries: set[bytes] = set()
        for bundle in walk_bundles(source, self.size()):
            entries.update(bundle.entries or ())
        logged = {read_leaf(each).id for each in entries}
        for promise in told.promises:
            if promise.record and promise.record not in logged:
                yield f"{promise} was answered, and is not in the log"
        for record, leaf in told.leaves.items():
            open_leaf(leaf, self.trust.collectors)
            if leaf not in entries:
                yield f"the signed promise of {record} is not in the log"
        for record, proof in told.proofs.items():
            if verify_receipt(proof, trust=self.trust).leaf.id != record:
                yield f"the receipt of {record} is of another act"


def _faults_in_state(told: Told, installation: Installation) -> Iterator[str]:
    """Whose answer is not what they were told last, and what checks got wrong."""
    yield from told.lies
    for person, state in told.standing.items():
        (status,) = installation.history.statuses(person).values()
        now = "given" if status.state == "renewed" else str(status.state)
        if now != state and person not in told.unsure:
            yield f"{person} was told {state!r}, and {now!r} stands"
