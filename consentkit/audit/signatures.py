"""Are the signatures good? Whoever adds an entry gets it back with the answer.

A signature costs more than everything else about an entry together, and no entry's
depends on another's. So they can be checked side by side (``processes``). What may be
concluded from them is still concluded in the order of the log: an entry comes back
after those before it, and never without its verdict.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from collections.abc import Sequence
from importlib import import_module
from typing import Generic
from typing import Protocol
from typing import TypeAlias
from typing import TypeVar

from consentkit.audit.collectors import Line
from consentkit.errors import InvalidSignatureError

__all__ = [
    "ENTRIES_A_PROCESS",
    "Claim",
    "Queue",
    "SignaturesHere",
    "holds",
    "positive",
    "processes_for",
    "queue_for",
    "usable_cpus",
]

Claim: TypeAlias = tuple[bytes, Sequence[Line]]
"""A message, and the signatures that are said to be of it."""

ENTRIES_A_PROCESS = 2_048
"""What makes it worth while to start a process: 0.2 s of signatures."""

T = TypeVar("T")


class Queue(Protocol[T]):
    """Takes entries in order and gives them back in order, each with its verdict."""

    def add(self, item: T, claim: Claim | None) -> Sequence[tuple[T, bool]]:
        """Take one entry; ``claim`` is None if there is nothing to check.

        Returns:
            Those entries whose verdicts are in by now, this one perhaps among them.

        Raises:
            LogUnavailableError: a process ended before it had answered.
        """

    def drain(self) -> Iterator[tuple[T, bool]]:
        """All entries that were not given back yet.

        Raises:
            LogUnavailableError: a process ended before it had answered.
        """

    def close(self) -> None:
        """Let go of everything that was not given back."""


def queue_for(jobs: int) -> Queue[T]:
    """What checks signatures with ``jobs`` processes; 1 is this one."""
    if jobs == 1:
        return SignaturesHere()
    processes = import_module("consentkit.audit.processes")
    queue: Queue[T] = processes.SignaturesInProcesses(jobs)
    return queue


def processes_for(size: int, jobs: int) -> int:
    """How many of ``jobs`` processes are worth while for a log of ``size`` entries."""
    return max(1, min(jobs, size // ENTRIES_A_PROCESS))


def usable_cpus() -> int:
    """How many processors this process may run on; all there are if nobody says."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def positive(text: str) -> int:
    """A number of processes, as somebody types it.

    Raises:
        ValueError: not a number from 1 on.
    """
    number = int(text)
    if number < 1:
        raise ValueError("expected at least 1 process")
    return number


def holds(claim: Claim) -> bool:
    """Whether all the signatures of a claim are good."""
    message, lines = claim
    try:
        for verifier, signature in lines:
            verifier.verify(message, signature)
    except InvalidSignatureError:
        return False
    return True


class SignaturesHere(Generic[T]):
    """Checks each entry when it comes (a ``Queue``)."""

    def add(self, item: T, claim: Claim | None) -> Sequence[tuple[T, bool]]:
        """See ``Queue.add``."""
        return ((item, claim is None or holds(claim)),)

    def drain(self) -> Iterator[tuple[T, bool]]:
        """See ``Queue.drain``."""
        yield from ()

    def close(self) -> None:
        """Nothing is left behind."""
