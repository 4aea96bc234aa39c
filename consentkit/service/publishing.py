"""Numbering, signing, and writing the log's files.

The database is the truth and the files are a cache of it: they are written after the
commit, ``checkpoint`` last and by rename, and can be made again byte for byte. One
publisher at a time: whoever does not get the lock has nothing to do.
"""

from __future__ import annotations

import os
import threading
from functools import partial
from typing import TYPE_CHECKING

from consentkit.errors import LogConflictError
from consentkit.errors import LogUnavailableError
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.service.background import elected
from consentkit.service.background import start_thread
from consentkit.service.keyring import check_registered
from consentkit.service.witnessing import follow_witnesses

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from consentkit.log.keys import Signer
    from consentkit.service.installation import Installation

__all__ = ["PublisherThread", "publish", "publish_all", "write_files"]

CHECKPOINT = "checkpoint"


def publish_all(installation: Installation) -> int | None:
    """Publish until nothing waits; the size of the log, None if another is at it.

    Raises:
        LogConflictError: the log or its files are not as they were left.
        LogUnavailableError: database or files cannot be reached or written.
        ConfigurationError: the log key is not the one that the log registered.
    """
    with elected(installation.log_folder, "lock") as mine:
        if not mine:
            return None
        while publish(installation):
            pass
        latest = installation.publications.latest()
        return latest[0] if latest else 0


def publish(installation: Installation) -> int:
    """Number and sign what waits, then write the files; how many leaves are new.

    Raises:
        LogConflictError: the log or its files are not as they were left.
        LogUnavailableError: database or files cannot be reached or written.
        ConfigurationError: the log key is not the one that the log registered.
    """
    before = installation.publications.latest()
    newest = before[1] if before else None
    on_disk = _on_disk(installation.log_folder)
    if on_disk is not None and on_disk != newest:
        _check_known(installation, on_disk)
    done = installation.publications.publish(
        lambda checkpoint: sign_checkpoint(checkpoint, _log_key(installation)),
        now=installation.clock(),
    )
    if done is None:
        if before is not None:
            _catch_up(installation, *before)
        return 0
    publication, note = done
    if _text(on_disk) == _text(newest):
        write_files(installation.log_folder, publication.files.items(), note)
    else:
        _catch_up(installation, publication.size, note)
    return len(publication.leaf_hashes)


def _check_known(installation: Installation, checkpoint: bytes) -> None:
    if not installation.publications.has_signed(checkpoint):
        raise LogConflictError(
            "the published checkpoint is not one that this database knows: nothing was "
            "signed or overwritten; an older copy of the database may have been put "
            "back, or the file was changed"
        )


def _log_key(installation: Installation) -> Signer:
    """The key that signs checkpoints; opened only now that there is one to sign."""
    check_registered(installation.keyring.log, "log", installation.history.keys())
    return installation.keyring.log


def _catch_up(installation: Installation, size: int, note: bytes) -> None:
    """Write what is missing on disk: all files, or only lines under the checkpoint."""
    on_disk = _on_disk(installation.log_folder)
    if on_disk == note:
        return
    lines_only = _text(on_disk) == _text(note)
    files = () if lines_only else installation.publications.files(size)
    write_files(installation.log_folder, files, note)


def _text(note: bytes | None) -> bytes | None:
    """What the log signed, without the lines under it: those may become more."""
    return None if note is None else note.partition(b"\n\n")[0]


def _on_disk(folder: Path) -> bytes | None:
    try:
        return (folder / CHECKPOINT).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LogUnavailableError(
            f"the published checkpoint cannot be read ({error.strerror})"
        ) from error


def write_files(
    folder: Path, files: Iterable[tuple[str, bytes]], checkpoint: bytes
) -> None:
    """Write tiles and bundles, then the checkpoint that speaks of them.

    Raises:
        LogConflictError: a file is there already, with other bytes.
        LogUnavailableError: the folder cannot be written.
    """
    # Beside the folder: what a kill leaves over must not look like a part of the log.
    draft = folder.with_name(f".{folder.name}.draft")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, data in files:
            _write_once(folder / path, data, draft)
        _replace(folder / CHECKPOINT, checkpoint, draft)
    except OSError as error:
        raise LogUnavailableError(
            f"the published log cannot be written ({error.strerror}); its leaves are "
            "safe in the database"
        ) from error


def _write_once(path: Path, data: bytes, draft: Path) -> None:
    if path.exists():
        if path.read_bytes() != data:
            raise LogConflictError(
                f"{path.name} of the published log is not what the database says it "
                "was: nothing was overwritten; find out which of the two was changed"
            )
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, data, draft)


def _replace(path: Path, data: bytes, draft: Path) -> None:
    """Whole or not at all, and there after a power cut."""
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # else the name may be lost, and the checkpoint be there
    finally:
        os.close(folder)


class PublisherThread:
    """Publishes every second from within a web process, if it is elected.

    Started by the first request of each process, hence after any fork. Witnesses are
    asked from a thread of their own: a slow one holds up nobody's receipt.
    """

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._pid = 0
        self._lock = threading.Lock()

    def ensure_running(self) -> None:
        """Start the thread unless this process already has it."""
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid == os.getpid():
                return
            self._pid = os.getpid()
            start_thread(
                "consentkit-publisher",
                partial(publish_all, self._installation),
                what="publishing",
            )
            follow_witnesses(self._installation)
