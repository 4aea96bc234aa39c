"""The auditor's folder: the published log, and all that is needed to judge it.

The tree comes as the log publishes it, so that any C2SP tool can read it; beside it
lie the files of ``consentkit.audit.annexed``. Everything is of one size that was
signed, whatever is committed meanwhile, and comes bundle by bundle from the database:
the published files may be lost or on another machine.

Nobody's id, name or address in the app leaves it. What officials said about their own
acts does, since auditors have to know who acted (CONTROLLER_HANDLE), and what was
asked for by the id of an act.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.audit import annexed
from consentkit.audit.batches import PAGE_ENTRIES
from consentkit.audit.batches import format_page
from consentkit.audit.bundle import CHECKPOINT
from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogConflictError
from consentkit.errors import VerificationError
from consentkit.log import sealing
from consentkit.log.checkpoint import parse_checkpoint_text
from consentkit.log.leaf import read_leaf
from consentkit.log.note import split_note
from consentkit.service.administering import CONTROLLER_HANDLE
from consentkit.service.dropped import check_not_dropped
from consentkit.service.evidence import open_facts
from consentkit.service.export_folder import ExportFolder
from consentkit.service.export_parts import Parts
from consentkit.service.export_readme import heading
from consentkit.service.marking import check_newest

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Collection
    from collections.abc import Iterable
    from collections.abc import Iterator
    from pathlib import Path

    from consentkit.log.batch import BatchEntry
    from consentkit.service.installation import Installation

__all__ = ["ALL_ADMIN", "Exported", "export"]

ALL_ADMIN = "all-admin"
"""Asks for what officials said about all of their acts."""

_ID = re.compile(r"[0-9a-f]{32}")
_ALTHOUGH_BEHIND = (
    "if the newest copy is lost for good, 'flask consent export --although-behind' "
    "hands over what is left of the log"
)


@dataclass(frozen=True)
class Exported:
    """What an export holds: ``size`` entries, and how many files in all.

    ``disclosures`` are the acts whose private facts were asked for, ``batches`` the
    shares with many of which it lists the people.
    ``left_out`` are those that were committed by now and are not among them: not
    published yet, or not cosigned. ``behind`` says in what the log is known to have
    come further than this database; empty if nothing says so.
    """

    size: int
    files: int
    disclosures: int
    batches: int
    left_out: int
    behind: str = ""


def export(
    installation: Installation,
    folder: Path,
    *,
    disclosures: Collection[str] = (ALL_ADMIN,),
    although_behind: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Exported:
    """Write the auditor's folder, or bring an earlier one up to date.

    ``disclosures`` are ids of acts whose private facts are to be shown, or
    ``ALL_ADMIN``. Those that the folder shows already stay, unless the person was
    erased since. ``progress`` is called with (files of the tree done, in all).
    A database that was put back from a backup makes a shorter log than people hold
    receipts of; ``although_behind`` hands that over all the same.

    Raises:
        ConfigurationError: nothing is published yet, the folder holds other things, or
            the log was dropped.
        InvalidRequestError: there are no private facts to an id that was asked for
            (code ``no-evidence``).
        LogConflictError: database and folder, or database and log, contradict each
            other; or the database is older than what was signed.
        LogUnavailableError: the database cannot be reached, or the folder written.
        VerificationError: what is stored is no longer what was stored.
    """
    check_not_dropped(installation, installation.origin)
    behind = _behind(installation)
    if behind and not although_behind:
        raise LogConflictError(f"nothing was exported: {behind}; {_ALTHOUGH_BEHIND}")
    place = ExportFolder(folder)
    size, checkpoint = _checkpoint(installation, place)
    draft = _Draft(installation, place, size)
    shown = draft.shown(disclosures)
    draft.write_readme()
    draft.write_tree(progress)
    draft.write_checkpoints()
    draft.write_notices()
    draft.write_timestamps()
    batches = draft.write_batches()
    for leaf_id, data in shown.items():
        place.keep(annexed.disclosure_path(leaf_id), data)
    draft.write_keys()
    draft.settle_left_over()
    place.finish(checkpoint)
    return Exported(
        size=size,
        files=place.files + 1,
        disclosures=len(shown),
        batches=batches,
        left_out=_newest(installation) - size,
        behind=behind,
    )


def _behind(installation: Installation) -> str:
    """In what the log is known to have come further than this database."""
    if installation.origin in installation.earlier:
        return ""  # it was closed, and the database knows its end
    try:
        check_newest(installation)
    except LogConflictError as error:
        return str(error)
    return ""


def _newest(installation: Installation) -> int:
    """The size that the log will have once everything is published."""
    latest = installation.publications.latest()
    return (latest[0] if latest else 0) + installation.publications.pending()


def _checkpoint(installation: Installation, place: ExportFolder) -> tuple[int, bytes]:
    """The checkpoint to export: the best cosigned one, but never a step back.

    Of a closed log the newest, whoever cosigned it: what follows names its end.
    """
    before = _size_before(installation, place)
    publications = installation.publications
    best = None if installation.exports.is_closed() else publications.covering(0)
    for found in (best, publications.latest()):
        if found is not None and found[0] >= before:
            return found
    raise ConfigurationError(
        "nothing of this log is published yet: run flask consent publish first"
    )


def _size_before(installation: Installation, place: ExportFolder) -> int:
    """The size of the export that lies there, 0 if it is new or was never finished."""
    note = place.read(CHECKPOINT)
    if note is None:
        text = place.read(annexed.README) or b""
        if place.is_new or text.startswith(heading(installation.origin)):
            return 0
        raise ConfigurationError(
            "the folder must be empty, or hold an earlier export of this log; what "
            "lies there has no checkpoint"
        )
    try:
        size = parse_checkpoint_text(split_note(note).text).size
    except VerificationError:
        size = -1
    signed = installation.publications.signed(size)
    if signed is None or not note.startswith(signed):
        raise ConfigurationError(
            "the folder must be empty, or hold an earlier export of this log; the "
            "checkpoint that lies there is not one that this database knows"
        )
    return size


class _Draft(Parts):
    """The parts of one export, and what an auditor asks for beside them."""

    def __init__(
        self, installation: Installation, place: ExportFolder, size: int
    ) -> None:
        super().__init__(installation, place, size)
        self._folder = place
        self._purged: set[str] = set()

    def shown(self, asked: Collection[str]) -> dict[str, bytes]:
        """The files of private facts that were asked for, by the id of the act."""
        wanted: dict[str, None] = {}
        for each in asked:
            if each == ALL_ADMIN:
                wanted |= dict.fromkeys(self._official_acts())
            elif _ID.fullmatch(each):
                wanted[each] = None
            else:
                raise _no_evidence("expected the id of an act, 32 hex digits")
        found = {leaf_id: self._facts(leaf_id) for leaf_id in wanted}
        for leaf_id, data in found.items():
            if data is None:
                raise _no_evidence(f"no private facts are kept to the act {leaf_id}")
        return {leaf_id: data for leaf_id, data in found.items() if data is not None}

    def write_batches(self) -> int:
        """Who was in each batch, by handle, as long as that is kept; of how many."""
        installation, written = self._installation, 0
        for leaf_id in installation.exports.batches(self._size):
            row = installation.batches.find(leaf_id)
            if row is None:
                self._purged.add(leaf_id)
                continue
            entries = itertools.chain.from_iterable(installation.batches.entries(row))
            for number, page in enumerate(_pages(entries)):
                path = annexed.batch_page_path(leaf_id, number)
                self._place.keep(path, format_page(page))
            written += 1
        return written

    def settle_left_over(self) -> None:
        """Files of an earlier export: narrower tiles, facts that were asked for then.

        Raises:
            LogConflictError: the database no longer has what lies there.
        """
        for leaf_id in annexed.disclosures_in(self._folder.left_over()):
            path, data = annexed.disclosure_path(leaf_id), self._facts(leaf_id)
            if data is None:
                self._folder.remove(path)  # erased since: not here either
            else:
                self._folder.keep(path, data)
        for path in self._folder.left_over():
            if self._purged.intersection(annexed.batch_pages_in([path])):
                self._folder.remove(path)  # their time was over
        for path in self._folder.left_over():
            if not path.startswith("tile/"):
                raise LogConflictError(
                    f"the export holds {path}, which the database does not: nothing "
                    "was taken out; find out which of the two was changed"
                )
            self._settle_tile(path)

    def _settle_tile(self, path: str) -> None:
        """A partial tile makes room for the wider one that holds it."""
        self._folder.keep(path, self._installation.exports.file(path))
        self._folder.remove(path)

    def _official_acts(self) -> Iterable[str]:
        exports = self._installation.exports
        return exports.acts_with_evidence(CONTROLLER_HANDLE, self._size)

    def _facts(self, leaf_id: str) -> bytes | None:
        """The file of one act's private facts, None if there are none (any more)."""
        installation = self._installation
        found = installation.exports.evidence(
            leaf_id, self._size, about_nobody=CONTROLLER_HANDLE
        )
        if found is None:
            return None
        key = installation.keyring.controller_key
        if found.person is not None:
            key = installation.keyring.data_key(found.person)
        facts = open_facts(installation.origin, leaf_id, found.sealed, key)
        if sealing.commit(facts) != read_leaf(found.leaf).body.get("evidence"):
            raise LogConflictError(
                f"the private facts of the act {leaf_id} are not those that its leaf "
                "commits to"
            )
        return annexed.format_disclosures([each.encoded for each in facts])


def _pages(entries: Iterator[BatchEntry]) -> Iterator[list[BatchEntry]]:
    while page := list(itertools.islice(entries, PAGE_ENTRIES)):
        yield page


def _no_evidence(what: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"{what}; give ids of acts below the exported size, or {ALL_ADMIN}",
        code="no-evidence",
    )
