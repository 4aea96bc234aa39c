"""A high-water file that moves on with what others have signed.

Several machines may publish one log, each with a high-water file of its own. One of
them can be the first every time; the file of another would then stay at what it signed
last itself, and remember nothing that an older copy of the database could contradict.
So whoever only follows takes over the database's newest checkpoint, and no other: one
that the log's own key signed, of a tree that continues all that is known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.errors import LogConflictError
from consentkit.errors import MalformedError
from consentkit.errors import VerificationError
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.checkpoint import parse_checkpoint_text
from consentkit.log.keys import Verifier
from consentkit.log.note import split_note
from consentkit.service.high_water import SIGNED_NOTHING
from consentkit.service.marking import marks_of
from consentkit.service.marking import published_checkpoint
from consentkit.store.keys import LOG

if TYPE_CHECKING:
    from consentkit.log.publisher import Prefixes
    from consentkit.service.high_water import Marks
    from consentkit.service.installation import Installation

__all__ = ["follow", "follow_published"]


def follow(
    installation: Installation, marks: Marks, newest: tuple[int, bytes] | None
) -> None:
    """Let only a log go on that continues ``marks``, and remember how far it has come.

    ``newest`` is the size of the database's newest checkpoint, and the checkpoint.
    Nobody else may write the high-water file meanwhile. It never goes back, and asks
    nothing of the database while it is as far as that.

    Raises:
        LogConflictError: the database holds fewer leaves than were signed, or others;
            or its newest checkpoint is not what the log's key signed.
        LogUnavailableError: the database cannot be reached, or the file not written.
    """
    size, note = newest or (0, None)
    if marks.agree(size, note):
        return
    mark = installation.high_water.read()
    with installation.publications.prefixes() as prefixes:
        marks.check(prefixes)
        if note is None or mark is None or mark.checkpoint.size >= size:
            return
        _check_signed(installation, size, note, prefixes)
    installation.high_water.write(note)


def follow_published(installation: Installation) -> None:
    """The same, where another process does the publishing and shows it here.

    Both files are only looked at, as long as ours is not behind. What cannot be told
    from them is for the one that publishes to say.

    Raises as ``follow`` does.
    """
    on_disk = published_checkpoint(installation.log_folder)
    mark = installation.high_water.read()
    if on_disk is None or mark is None or _size(on_disk) <= mark.checkpoint.size:
        return
    with installation.high_water.held():
        newest = installation.publications.latest()
        marks = marks_of(installation, newest and newest[1], on_disk)
        follow(installation, marks, newest)


def _size(note: bytes) -> int:
    """The size that a checkpoint speaks of; none of what is no checkpoint."""
    try:
        return parse_checkpoint_text(split_note(note).text).size
    except MalformedError:
        return 0


def _check_signed(
    installation: Installation, size: int, note: bytes, prefixes: Prefixes
) -> None:
    """Refuse a row that is not a checkpoint of the very tree in the database."""
    keys = [
        Verifier.parse(each.vkey)
        for each in installation.keys.ranges(LOG)
        if each.signs_checkpoint(size)
    ]
    try:
        checkpoint = open_checkpoint(note, keys, origin=installation.origin)
    except VerificationError as error:
        raise _not_ours(size) from error
    try:
        root = prefixes.root(size)
    except (MalformedError, FileNotFoundError) as error:
        raise _not_ours(size) from error
    if (checkpoint.size, checkpoint.root) != (size, root):
        raise _not_ours(size)


def _not_ours(size: int) -> LogConflictError:
    return LogConflictError(
        f"the newest checkpoint in the database, of {size} entries, is not one that "
        f"this log has signed of the entries there: {SIGNED_NOTHING}"
    )
