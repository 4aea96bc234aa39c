"""Commands that go on once a second, until somebody ends them in good order."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

import click

from consentkit.errors import ConsentKitError

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator

__all__ = ["follow"]

_SECOND = 1.0
_SIGNALS = signal.SIGINT, signal.SIGTERM  # Ctrl-C, and what supervisors send


def follow(first: Callable[[], str], work: Callable[[], str]) -> None:
    """Do the first work, then the other once a second, until SIGINT or SIGTERM.

    What is under way is finished then; a second signal ends the command at once. What
    ``work`` has to say is said where it is news: ``first`` returns what it said. Once
    the first work was done, nothing that goes wrong ends the command: a database that
    is away comes back.
    """
    with _heard() as stopped:
        said = first()
        while not stopped.wait(_SECOND):
            line = _done(work)
            if line not in ("", said):
                click.echo(line)
            said = line
    click.echo("stopped", err=True)


def _done(work: Callable[[], str]) -> str:
    try:
        return work()
    except ConsentKitError as error:
        return f"{error}; trying again"


@contextlib.contextmanager
def _heard() -> Iterator[threading.Event]:
    """An event that the first of the signals sets."""
    stopped = threading.Event()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def stop(_number: int, _frame: object) -> None:
        stopped.set()
        restore()

    for number in _SIGNALS:
        signal.signal(number, stop)
    try:
        yield stopped
    finally:
        restore()
