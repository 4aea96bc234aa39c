"""Work that goes on beside requests: one process at a time, once a second."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import threading
from typing import TYPE_CHECKING
from typing import BinaryIO

from consentkit.errors import LogUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["elected", "every_second", "start_thread"]

_INTERVAL = 1.0  # seconds; a receipt is final at most this long after its act
_LOGGER = logging.getLogger("consentkit")


@contextlib.contextmanager
def elected(log_folder: Path, work: str) -> Iterator[bool]:
    """True for the one process that may do this work on this log, until done or dead.

    Raises:
        LogUnavailableError: the folder of published logs cannot be written.
    """
    with _open_lock(log_folder.with_name(f".{log_folder.name}.{work}")) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def start_thread(name: str, work: Callable[[], object], *, what: str) -> None:
    """Do the work once a second in a thread that never holds up the end."""
    threading.Thread(
        target=every_second, args=(work,), kwargs={"what": what}, name=name, daemon=True
    ).start()


def every_second(work: Callable[[], object], *, what: str) -> None:
    """Do the work for ever, whatever goes wrong with it."""
    rest = threading.Event()
    while True:
        try:
            work()
        except Exception:
            # Leaves stay safe in the database; operators have to see this, and a
            # thread that ended would leave every receipt without its proof.
            _LOGGER.exception("consentkit: %s failed, trying again", what)
        rest.wait(_INTERVAL)


def _open_lock(lock: Path) -> BinaryIO:
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        return lock.open("ab")
    except OSError as error:
        raise LogUnavailableError(
            f"the folder of published logs cannot be written ({error.strerror})"
        ) from error
