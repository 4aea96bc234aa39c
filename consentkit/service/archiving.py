"""A log that ended, as static files for good: written once, read back, verified.

An archive is a folder or a bucket of the C2SP tlog-tiles layout, with what an auditor
needs beside it: notices, keys, policy, checkpoints and time stamps. It holds nothing
about anybody that the log itself does not hold; private facts and the lists of batches
stay in the database, and go with a purge. Any static server can serve it.

Files are only ever created. One that is there has to have the same bytes, and
``checkpoint`` comes last: an archive that was cut short is none. Only when all of it
was read back, and is the tree that was signed, does the database call it archived.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.audit.manifest import print_of
from consentkit.audit.report import Layer
from consentkit.audit.source import not_there
from consentkit.audit.trust import Trust
from consentkit.audit.verify import find_faults
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogConflictError
from consentkit.service.administering import administrative_acts
from consentkit.service.administering import record_admin_act
from consentkit.service.archive_writing import ArchiveWriter
from consentkit.service.export_parts import Parts
from consentkit.service.export_parts import log_keys
from consentkit.store.periods import Periods
from consentkit.store.periods import check_may_archive

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Mapping

    from consentkit.service.administering import Official
    from consentkit.service.archive import Archive
    from consentkit.service.installation import Installation

__all__ = ["ARCHIVE", "Archived", "archive_log", "find_archives"]

ARCHIVE = "archive-log"
"""The action of the ``admin`` leaf that says where a log was archived."""


@dataclass(frozen=True, slots=True)
class Archived:
    """What lies in the archive; ``new`` is how many files were written just now."""

    origin: str
    place: str
    size: int
    files: int
    new: int


def archive_log(
    installation: Installation,
    origin: str,
    archive: Archive,
    *,
    by: Official,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Archived:
    """Have all of a log that ended in the archive, and find it there.

    Harmless to repeat, and the way to finish what was cut short.

    Raises:
        InvalidRequestError: the log goes on, or there is none of that origin (code
            ``not-closed``); it was dropped from this database (``dropped``).
        ConfigurationError: this process does not own the tables; nothing was copied.
        LogConflictError: a file is there with other bytes, or is not there as it was
            written; the database contradicts itself.
        LogUnavailableError: database or archive cannot be reached or written.
        VerificationError: what lies there is not the tree that was signed.
    """
    log = _ended(installation, origin)
    check_may_archive(installation.database)
    latest = log.publications.latest()
    if latest is None:
        raise LogConflictError(f"the log {origin!r} has ended without a checkpoint")
    size, _ = latest
    writer = ArchiveWriter(archive)
    parts = Parts(log, writer, size)
    parts.write_readme()
    parts.write_tree(progress)
    parts.write_checkpoints()
    parts.write_notices()
    parts.write_timestamps()
    parts.write_keys()
    writer.finish(size)
    _prove(log, archive, writer.prints, size)
    _note(installation, origin, archive.place, by)
    return Archived(origin, archive.place, size, len(writer.prints), writer.new)


def find_archives(installation: Installation, origin: str) -> list[str]:
    """Where that log was archived, as the log in use says; the newest place last.

    Raises what ``administrative_acts`` raises.
    """
    return [
        str(act.facts["place"])
        for act in administrative_acts(installation)
        if (act.action, act.target) == (ARCHIVE, origin) and "place" in act.facts
    ]


def _ended(installation: Installation, origin: str) -> Installation:
    """To read from that log, which another one follows."""
    if origin not in installation.earlier:
        ended = ", ".join(installation.earlier) or "none has"
        raise InvalidRequestError(
            f"expected the origin of a log that has ended ({ended}); got "
            f"{origin!r:.80}: end a period with 'flask consent log open'",
            code="not-closed",
        )
    period = Periods(installation.database).find(origin)
    if period is not None and period.dropped is not None:
        raise InvalidRequestError(
            f"the log {origin!r} was dropped from this database: nothing is left to "
            "archive",
            code="dropped",
        )
    return installation.of_log(origin)


class _Files:
    """An archive as a source for auditors; each file has to be what was written."""

    def __init__(self, archive: Archive, prints: Mapping[str, str]) -> None:
        self._archive = archive
        self._prints = prints
        self.unread = set(prints)

    def read(self, path: str) -> bytes:
        """See ``Source.read``."""
        data = self._archive.get(path)
        if data is None:
            raise not_there(path)
        if print_of(data) != self._prints.get(path):
            raise LogConflictError(
                f"{path} in {self._archive.place} is not what was written a moment "
                "ago: the log was not called archived; do not use that place"
            )
        self.unread.discard(path)
        return data

    def paths(self) -> Iterator[str] | None:
        """None: what else lies there is nobody's business here."""
        return None


def _prove(
    log: Installation, archive: Archive, prints: Mapping[str, str], size: int
) -> None:
    files = _Files(archive, prints)
    trust = Trust.of(log_keys(log, size))
    for finding in find_faults(files, trust=trust, layers=(Layer.LOG,)):
        raise finding.error()
    for path in sorted(files.unread):
        files.read(path)


def _note(installation: Installation, origin: str, place: str, by: Official) -> None:
    """Say in the log where the archive is, once for each place."""
    known = find_archives(installation, origin)
    now = installation.clock()
    with installation.ledger.write_alone() as transaction:
        period = transaction.periods.find(origin)
        if period is None or (period.archived is not None and place in known):
            return
        record_admin_act(
            installation,
            transaction,
            action=ARCHIVE,
            target=origin,
            by=by,
            now=now,
            facts={"place": place},
        )
        transaction.periods.mark_archived(period.id, now)
