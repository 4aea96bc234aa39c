"""How far this log is known to have come, gathered from all who remember it.

The high-water file, the published checkpoint and the witnesses: what each of them says
is held against the database (``high_water``), before anything is signed, exported, or
shared again after a stop.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from consentkit.errors import LogConflictError
from consentkit.errors import LogUnavailableError
from consentkit.service.high_water import SIGNED_NOTHING
from consentkit.service.high_water import Marks
from consentkit.service.high_water import read_mark

if TYPE_CHECKING:
    from pathlib import Path

    from consentkit.service.high_water import Mark
    from consentkit.service.installation import Installation

__all__ = [
    "CHECKPOINT",
    "check_marks",
    "check_newest",
    "marks_of",
    "outside_marks",
    "published_checkpoint",
]

CHECKPOINT = "checkpoint"
"""The file in the folder of a published log that is written last."""


def marks_of(
    installation: Installation, newest: bytes | None, on_disk: bytes | None
) -> Marks:
    """How far the log has come, by all who remember it.

    ``newest`` is the database's newest checkpoint, ``on_disk`` the published one.

    Raises:
        LogConflictError: one of them is no checkpoint, or of another log; or the
            high-water file is not there, though the log has published.
        LogUnavailableError: database or files cannot be reached.
    """
    outside = outside_marks(installation, on_disk)
    mark = installation.high_water.read()
    if mark is not None:
        return replace(outside, trees=(mark, *outside.trees))
    if newest is not None or on_disk is not None:
        raise installation.high_water.lost()
    return outside


def outside_marks(installation: Installation, on_disk: bytes | None) -> Marks:
    """How far the log has come by the published files and the witnesses.

    Raises as ``marks_of`` does.
    """
    trees = () if on_disk is None else (_published(installation, on_disk),)
    if not installation.cosigners:
        return Marks(trees)
    known = installation.witnesses.standings()
    witnessed, name = max(
        (known[each.key].held if each.key in known else 0, each.name)
        for each in installation.cosigners
    )
    return Marks(trees, witnessed, name)


def _published(installation: Installation, note: bytes) -> Mark:
    source = f"the published checkpoint {installation.log_folder / CHECKPOINT}"
    mark = read_mark(note, source, origin=installation.origin)
    if installation.publications.contradicts(note):
        raise LogConflictError(
            f"{source} is not one that this database knows: {SIGNED_NOTHING}",
            size=mark.checkpoint.size,
        )
    return mark


def check_marks(installation: Installation, marks: Marks) -> None:
    """Let only a log go on that continues all of them.

    Raises:
        LogConflictError: the database holds fewer leaves, or others.
        LogUnavailableError: the database cannot be reached.
    """
    with installation.publications.prefixes() as prefixes:
        marks.check(prefixes)


def published_checkpoint(folder: Path) -> bytes | None:
    """The checkpoint in the folder of a published log, None if there is none.

    Raises:
        LogUnavailableError: it cannot be read.
    """
    try:
        return (folder / CHECKPOINT).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LogUnavailableError(
            f"the published checkpoint cannot be read ({error.strerror})"
        ) from error


def check_newest(installation: Installation) -> None:
    """Refuse to speak for a log that is known to have come further than this database.

    Known as far as is remembered here: high-water file and published checkpoint may be
    on another machine.

    Raises:
        LogConflictError: the database holds fewer leaves than were signed, or others.
        LogUnavailableError: database or files cannot be reached.
    """
    # Before the database, which only grows: what is signed meanwhile is no conflict.
    mark = installation.high_water.read()
    marks = outside_marks(installation, published_checkpoint(installation.log_folder))
    if mark is not None:
        marks = replace(marks, trees=(mark, *marks.trees))
    if not marks.agree(*(installation.publications.latest() or (0, None))):
        check_marks(installation, marks)
