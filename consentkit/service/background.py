"""Work that goes on beside requests: one process at a time, once a second."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import threading
import time
from typing import TYPE_CHECKING
from typing import BinaryIO

from consentkit.errors import LogUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "current_run",
    "elected",
    "every_second",
    "locked",
    "start_thread",
    "stop_threads",
]

_INTERVAL = 1.0  # seconds; a receipt is final at most this long after its act
_SAY_AGAIN = 60.0  # seconds until the same fault is logged again: it is still there
_LOGGER = logging.getLogger("consentkit")
_STARTED: list[tuple[threading.Thread, threading.Event]] = []
_stops = 0


@contextlib.contextmanager
def elected(log_folder: Path, work: str) -> Iterator[bool]:
    """True for the one process that may do this work on this log, until done or dead.

    Raises:
        LogUnavailableError: the folder of published logs cannot be written.
    """
    lock = log_folder.with_name(f".{log_folder.name}.{work}")
    with _open_lock(lock, _no_folder) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


@contextlib.contextmanager
def locked(lock: Path, told: Callable[[OSError], str]) -> Iterator[None]:
    """Wait until no other process is here; until done or dead, none will be.

    ``told`` says what cannot be done where the lock cannot be made.

    Raises:
        LogUnavailableError: the lock cannot be made.
    """
    with _open_lock(lock, told) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def start_thread(name: str, work: Callable[[], object], *, what: str) -> None:
    """Do the work once a second in a thread that never holds up the end."""
    stopped = threading.Event()
    thread = threading.Thread(
        target=every_second, args=(work, stopped), kwargs={"what": what}, name=name
    )
    thread.daemon = True
    thread.start()
    _STARTED.append((thread, stopped))


def stop_threads() -> None:
    """End all threads of this process, each when the work under way is done.

    A process that forks later must not have any: what one of them holds at that
    moment, such as a lock within SQLite, is held for ever in the fork.
    """
    while _STARTED:
        thread, stopped = _STARTED.pop()
        stopped.set()
        if thread.is_alive():
            thread.join()
    global _stops  # noqa: PLW0603  a count of this process
    _stops += 1


def current_run() -> tuple[int, int]:
    """Of which life a thread is: this process, and how often its threads were ended."""
    return os.getpid(), _stops


def every_second(
    work: Callable[[], object], stopped: threading.Event, *, what: str
) -> None:
    """Do the work until stopped, whatever goes wrong with it."""
    said, again = "", 0.0
    while not stopped.is_set():
        try:
            work()
        except Exception as error:
            # Leaves stay safe in the database; operators have to see this, and a
            # thread that ended would leave every receipt without its proof.
            if repr(error) != said or time.monotonic() > again:
                _LOGGER.exception("consentkit: %s failed, trying again", what)
                said, again = repr(error), time.monotonic() + _SAY_AGAIN
        else:
            said = ""
        stopped.wait(_INTERVAL)


def _open_lock(lock: Path, told: Callable[[OSError], str]) -> BinaryIO:
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        return lock.open("ab")
    except OSError as error:
        raise LogUnavailableError(told(error)) from error


def _no_folder(error: OSError) -> str:
    return f"the folder of published logs cannot be written ({error.strerror})"
