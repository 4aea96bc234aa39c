"""Work that goes on beside requests: one process at a time, once a second."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import threading
import time
from dataclasses import dataclass
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING
from typing import BinaryIO

from consentkit.errors import LogUnavailableError
from consentkit.errors import wordless

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "OVER",
    "current_run",
    "elected",
    "every_second",
    "locked",
    "start_thread",
    "stop_threads",
]

OVER = object()
"""What work returns that is for others to do: its thread ends."""

_INTERVAL = 1.0  # seconds; a receipt is final at most this long after its act
_SAY_AGAIN = 60.0  # seconds until the same fault is logged again: it is still there
_LOGGER = logging.getLogger("consentkit")
_LAST_SECONDS = 5.0  # that a process which ends waits for its threads; servers give 30
_stops = 0
_hears = 0  # the process that ends its threads before it ends itself


@dataclass(frozen=True)
class _Started:
    """A thread of this process, and the ways to end it."""

    thread: threading.Thread
    what: str
    stopped: threading.Event
    ends: threading.Event


_STARTED: list[_Started] = []


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


def start_thread(
    name: str,
    work: Callable[[], object],
    *,
    what: str,
    last: Callable[[], object] | None = None,
) -> None:
    """Do the work once a second in a thread that never holds up the end for long.

    ``last`` is done once more there when the process ends in good order.
    """
    stopped, ends = threading.Event(), threading.Event()

    def run() -> None:
        every_second(work, stopped, what=what)
        if last is not None and ends.is_set():
            _do_last(last, what)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    _STARTED.append(_Started(thread, what, stopped, ends))
    _LOGGER.info(
        "consentkit: %s from this process",
        what,
        extra={"event": "work-started", "work": what},
    )
    _hear_of_the_end()


def stop_threads() -> None:
    """End all threads of this process, each when the work under way is done.

    A process that forks later must not have any: what one of them holds at that
    moment, such as a lock within SQLite, is held for ever in the fork.
    """
    while _STARTED:
        started = _STARTED.pop()
        started.stopped.set()
        if started.thread.is_alive():
            started.thread.join()
    global _stops  # noqa: PLW0603  a count of this process
    _stops += 1


def _hear_of_the_end() -> None:
    """Have this process end its threads in good order, however a server ends it."""
    global _hears  # noqa: PLW0603  a fact of this process
    if _hears != os.getpid():
        _hears = os.getpid()
        # Not by atexit, of which workers that are processes of multiprocessing, such
        # as granian's, never hear; this is done there, and by atexit elsewhere.
        Finalize(None, _end_with_process, exitpriority=0)


def _end_with_process() -> None:
    """Let all threads finish what is under way, and do what they do last."""
    until = time.monotonic() + _LAST_SECONDS
    going_on = [each for each in _STARTED if each.thread.is_alive()]
    for started in going_on:
        started.ends.set()
        started.stopped.set()
    for started in going_on:
        started.thread.join(max(0.0, until - time.monotonic()))
        _tell_end(started.what)


def _tell_end(what: str) -> None:
    _LOGGER.info(
        "consentkit: %s ends in this process",
        what,
        extra={"event": "work-ended", "work": what},
    )


def current_run() -> tuple[int, int]:
    """Of which life a thread is: this process, and how often its threads were ended."""
    return os.getpid(), _stops


def every_second(
    work: Callable[[], object], stopped: threading.Event, *, what: str
) -> None:
    """Do the work until stopped or ``OVER``, whatever goes wrong with it."""
    said, again = "", 0.0
    while not stopped.is_set():
        try:
            if work() is OVER:
                _tell_end(what)
                return
        except Exception as error:
            # Leaves stay safe in the database; operators have to see this, and a
            # thread that ended would leave every receipt without its proof.
            if repr(error) != said or time.monotonic() > again:
                _LOGGER.exception(
                    "consentkit: %s failed, trying again",
                    what,
                    exc_info=wordless(error),
                    extra={"event": "work-failed", "work": what},
                )
                said, again = repr(error), time.monotonic() + _SAY_AGAIN
        else:
            said = ""
        stopped.wait(_INTERVAL)


def _do_last(work: Callable[[], object], what: str) -> None:
    try:
        work()
    except Exception as error:
        # Nothing is lost: it is what the next process will do first.
        _LOGGER.exception(
            "consentkit: %s failed at the end of a process",
            what,
            exc_info=wordless(error),
            extra={"event": "last-work-failed", "work": what},
        )


def _open_lock(lock: Path, told: Callable[[OSError], str]) -> BinaryIO:
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        return lock.open("ab")
    except OSError as error:
        raise LogUnavailableError(told(error)) from error


def _no_folder(error: OSError) -> str:
    return f"the folder of published logs cannot be written ({error.strerror})"
