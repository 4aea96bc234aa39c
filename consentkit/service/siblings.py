"""Logs that the files beside ours speak of, and that the database has never heard of.

A copy of the database from before a log began knows the one before it as its newest.
High-water files and published logs lie side by side, so what the copy forgot is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.errors import LogConflictError
from consentkit.errors import LogUnavailableError
from consentkit.errors import MalformedError
from consentkit.log.checkpoint import parse_checkpoint_text
from consentkit.log.encoding import decode_base64
from consentkit.log.leaf import read_leaf
from consentkit.log.note import split_note
from consentkit.log.tiles import TILE_WIDTH
from consentkit.log.tiles import decode_bundle
from consentkit.log.tiles import entries_path
from consentkit.service.high_water import SIGNED_NOTHING
from consentkit.service.log_names import folder_name
from consentkit.service.marking import CHECKPOINT
from consentkit.store.logs import find_logs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consentkit.log.checkpoint import Checkpoint
    from consentkit.service.installation import Installation

__all__ = ["check_siblings"]

_ENDING = ".high-water"


def check_siblings(installation: Installation) -> None:
    """Refuse where a log has followed that is not in this database.

    Raises:
        LogConflictError: there is a high-water file, or a published log, of one.
        LogUnavailableError: database or files cannot be read.
    """
    known = {each.origin for each in find_logs(installation.database)}
    try:
        for origin, place in _siblings(installation):
            if origin not in known:
                raise LogConflictError(
                    f"{place} is of the log {origin!r}, which this database does not "
                    f"know: {SIGNED_NOTHING}"
                )
    except OSError as error:
        raise LogUnavailableError(
            f"the files beside those of this log cannot be read ({error.strerror})"
        ) from error


def _siblings(installation: Installation) -> Iterator[tuple[str, Path]]:
    own = installation.high_water.path
    before, after = _named(own.name, folder_name(installation.origin))
    for each in sorted(own.parent.iterdir()):
        if not (each.name.startswith(before) and each.name.endswith(after)):
            continue
        checkpoint = _checkpoint(each)
        name = folder_name(checkpoint.origin) if checkpoint else ""
        if checkpoint and each.name == f"{before}{name}{after}":
            yield checkpoint.origin, each
    for each in sorted(installation.log_folder.parent.glob("*")):
        checkpoint = _checkpoint(each / CHECKPOINT)
        if checkpoint and _previous(each, checkpoint) == installation.origin:
            yield checkpoint.origin, each


def _named(own: str, folder: str) -> tuple[str, str]:
    """What stands before and after the log's name in that of each high-water file."""
    if own == f"{folder}{_ENDING}":
        return "", _ENDING
    return f"{own.removesuffix(f'.{folder}')}.", ""


def _checkpoint(path: Path) -> Checkpoint | None:
    if not path.is_file():
        return None
    try:
        return parse_checkpoint_text(split_note(path.read_bytes()).text)
    except MalformedError:
        return None


def _previous(folder: Path, checkpoint: Checkpoint) -> str:
    """The origin of the log that this published one says to follow; else empty."""
    width = min(checkpoint.size, TILE_WIDTH)
    try:
        data = (folder / entries_path(0, width)).read_bytes()
        body = read_leaf(decode_bundle(data, count=width)[0]).body
        previous = body.get("previous", {}).get("checkpoint", "")
        note = decode_base64(previous.encode())
        return parse_checkpoint_text(split_note(note).text).origin
    except (FileNotFoundError, IndexError, MalformedError):
        return ""
