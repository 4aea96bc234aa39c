"""Numbering, signing, and writing the log's files.

The database is the truth and the files are a cache of it: they are written after the
commit, ``checkpoint`` last and by rename, and can be made again byte for byte. One
publisher at a time: whoever does not get the lock has nothing to do.
"""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from consentkit.errors import LogConflictError
from consentkit.errors import LogError
from consentkit.errors import LogUnavailableError
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.service.background import current_run
from consentkit.service.background import elected
from consentkit.service.background import start_thread
from consentkit.service.erasing import follow_erasures
from consentkit.service.finishing import Farewell
from consentkit.service.following import follow
from consentkit.service.following import follow_published
from consentkit.service.marking import CHECKPOINT
from consentkit.service.marking import check_marks
from consentkit.service.marking import marks_of
from consentkit.service.marking import outside_marks
from consentkit.service.marking import published_checkpoint
from consentkit.service.observing import Event
from consentkit.service.replacing import replace_file
from consentkit.service.restoring import stop_if_behind
from consentkit.service.siblings import check_siblings
from consentkit.service.staleness import follow_heartbeat
from consentkit.service.stamping import follow_timestamps
from consentkit.service.witnessing import check_with_witnesses
from consentkit.service.witnessing import follow_witnesses
from consentkit.store.keys import LOG

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from pathlib import Path

    from consentkit.core.act import Millis
    from consentkit.log.checkpoint import Checkpoint
    from consentkit.log.keys import Signer
    from consentkit.log.publisher import Prefixes
    from consentkit.service.high_water import Marks
    from consentkit.service.installation import Installation

__all__ = [
    "PublisherThread",
    "accept_high_water",
    "publish",
    "publish_all",
    "publish_or_stop",
    "write_files",
]

_TURNS, _TURN = 80, 0.05  # seconds; a process that ends waits no longer for others


def publish_all(installation: Installation) -> int | None:
    """Publish until nothing waits; the size of the log, None if another is at it.

    Raises:
        LogConflictError: the log or its files are not as they were left.
        LogUnavailableError: database or files cannot be reached or written.
        ConfigurationError: a log key that has to sign is not here.
    """
    with elected(installation.log_folder, "lock") as mine:
        if not mine:
            follow_published(installation)
            return None
        while publish(installation):
            pass
        latest = installation.publications.latest()
        return latest[0] if latest else 0


def publish_or_stop(installation: Installation) -> int | None:
    """Publish; sharing is stopped if the log is ahead of this database (R58).

    Raises as ``publish_all`` does.
    """
    try:
        return publish_all(installation)
    except LogError as error:
        fault = {"error": type(error).__name__}
        installation.observer.tell(Event.PUBLICATION_FAILED, fault)
        if isinstance(error, LogConflictError):
            stop_if_behind(installation)
        raise


def _publish_on(installation: Installation, farewell: Farewell) -> None:
    """Publish, and say so once nothing will ever come again."""
    publish_or_stop(installation)
    farewell(installation)


def _publish_last(installation: Installation) -> None:
    """Publish what this process answered before it ends, once nobody else is at it."""
    for _ in range(_TURNS):
        if publish_or_stop(installation) is not None:
            return
        time.sleep(_TURN)


def publish(installation: Installation) -> int:
    """Number and sign what waits, then write the files; how many leaves are new.

    Raises:
        LogConflictError: the log or its files are not as they were left.
        LogUnavailableError: database or files cannot be reached or written.
        ConfigurationError: a log key that has to sign is not here.
    """
    on_disk = published_checkpoint(installation.log_folder)
    waits_since = _waits_since(installation)
    with installation.high_water.held():
        before = installation.publications.latest()
        size, newest = before or (0, None)
        marks = marks_of(installation, newest, on_disk)
        done = installation.publications.publish(
            partial(_sign, installation, marks),
            now=installation.clock(),
            stop=marks.first_beyond(size),
        )
        if done is None:
            follow(installation, marks, before)
    if done is None:
        if before is not None:
            _catch_up(installation, *before)
        return 0
    publication, note = done
    if _text(on_disk) == _text(newest):
        write_files(installation.log_folder, publication.files.items(), note)
    else:
        _catch_up(installation, publication.size, note)
    count = len(publication.leaf_hashes)
    if waits_since is not None:
        waited = max(0, installation.clock() - waits_since) / 1000
        facts = {"count": count, "seconds": waited, "size": publication.size}
        installation.observer.tell(Event.PUBLISHED, facts)
    return count


def _waits_since(installation: Installation) -> Millis | None:
    """Since when the first leaf waits; not asked where nobody listens."""
    hears = installation.observer.hears(Event.PUBLISHED)
    return installation.publications.waiting_since() if hears else None


def accept_high_water(installation: Installation) -> int:
    """Begin a lost high-water file anew with what the database says; its size.

    The published checkpoint must not contradict, and every configured witness is asked:
    what they said before lies in the database, which may be an old one.

    Raises:
        LogConflictError: the file is there, the database is not the newest, or a
            witness did not answer.
        LogUnavailableError: database or file cannot be reached or written.
    """
    high_water = installation.high_water
    with high_water.held():
        if high_water.read() is not None:
            raise LogConflictError(
                f"the high-water file {high_water.path} is there: nothing to accept"
            )
        check_siblings(installation)
        size, newest = installation.publications.latest() or (0, b"")
        _ask_all_witnesses(installation, size)
        on_disk = published_checkpoint(installation.log_folder)
        check_marks(installation, outside_marks(installation, on_disk))
        if newest:
            high_water.write(newest)
        return size


def _ask_all_witnesses(installation: Installation, size: int) -> None:
    silent = check_with_witnesses(installation, size, sign=_signer_of(installation))
    if silent:
        raise LogConflictError(
            f"witness {silent[0]} did not answer, and may know a longer log: try again "
            "when it does, or take it out of CONSENTKIT_WITNESSES; nothing was accepted"
        )


def _signer_of(installation: Installation) -> Callable[[Checkpoint], bytes]:
    return lambda checkpoint: sign_checkpoint(
        checkpoint, *_log_keys(installation, checkpoint.size)
    )


def _sign(
    installation: Installation, marks: Marks, checkpoint: Checkpoint, prefixes: Prefixes
) -> bytes:
    """The signed checkpoint, which is not to be lost from here on."""
    marks.check(prefixes)
    note = sign_checkpoint(checkpoint, *_log_keys(installation, checkpoint.size))
    installation.high_water.write(note)
    return note


def _log_keys(installation: Installation, size: int) -> tuple[Signer, ...]:
    """The keys that sign the checkpoint of that size: two while one is being changed.

    Opened only now that there is something to sign.
    """
    registered = installation.keys.ranges(LOG)
    return installation.keyring.signers(
        each for each in registered if each.signs_checkpoint(size)
    )


def _catch_up(installation: Installation, size: int, note: bytes) -> None:
    """Write what is missing on disk: all files, or only lines under the checkpoint."""
    on_disk = published_checkpoint(installation.log_folder)
    if on_disk == note:
        return
    lines_only = _text(on_disk) == _text(note)
    files = () if lines_only else installation.publications.files(size)
    write_files(installation.log_folder, files, note)


def _text(note: bytes | None) -> bytes | None:
    """What the log signed, without the lines under it: those may become more."""
    return None if note is None else note.partition(b"\n\n")[0]


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
        replace_file(folder / CHECKPOINT, checkpoint, draft=draft)
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
    replace_file(path, data, draft=draft)


class PublisherThread:
    """Publishes every second from within a web process, if it is elected.

    Started by the first request of each process, hence after any fork. Witnesses are
    asked from a thread of their own: a slow one holds up nobody's receipt.
    """

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._run = (0, 0)
        self._lock = threading.Lock()

    def ensure_running(self) -> bool:
        """Start the thread unless this process already has it; whether it was new."""
        run = current_run()
        if self._run == run:
            return False
        with self._lock:
            if self._run == run:
                return False
            self._run = run
            start_thread(
                "consentkit-publisher",
                partial(_publish_on, self._installation, Farewell()),
                what="publishing",
                last=partial(_publish_last, self._installation),
            )
            follow_witnesses(self._installation)
            follow_erasures(self._installation)
            follow_timestamps(self._installation)
            follow_heartbeat(self._installation)
            return True
