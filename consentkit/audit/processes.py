"""Signatures checked by processes of our own, side by side.

A process that ends before it has answered is an error, whatever the reason. The
processes are started anew (``spawn``), take keys, messages and signatures, and answer
one byte for each entry. They end when this one closes, or is gone.

Loaded only by who wants more than one: ``multiprocessing`` takes its time to import.
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from multiprocessing import get_context
from multiprocessing.connection import wait
from typing import TYPE_CHECKING
from typing import Generic
from typing import TypeVar

from consentkit.audit.signatures import Claim
from consentkit.audit.signatures import holds
from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

__all__ = ["SignaturesInProcesses"]

T = TypeVar("T")

# 64 claims take 6 ms to check and 0.1 ms to hand over. The bytes, so that two batches
# fit into a pipe and nobody has to wait for the other end to read.
_BATCH_ENTRIES = 64
_BATCH_BYTES = 80_000
_AHEAD = 2  # batches that one process has: the one it checks and the next
_WAITING = 4  # batches in all, for each process: more would only fill the memory


@dataclass(slots=True)
class _Batch(Generic[T]):
    """Entries on their way; ``verdicts`` has a byte for each, None while unknown."""

    items: list[T] = field(default_factory=list)
    claims: list[Claim | None] = field(default_factory=list)
    size: int = 0
    verdicts: bytes | None = None

    @property
    def full(self) -> bool:
        return len(self.items) >= _BATCH_ENTRIES or self.size >= _BATCH_BYTES

    def add(self, item: T, claim: Claim | None) -> None:
        self.items.append(item)
        self.claims.append(claim)
        if claim is not None:
            self.size += len(claim[0])

    def results(self) -> Iterator[tuple[T, bool]]:
        for item, verdict in zip(self.items, self.verdicts or b"", strict=True):
            yield item, verdict == 1


class _Worker(Generic[T]):
    """One process, and the batches that it has not answered."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=_check_all, args=(theirs,), name="consentkit-signatures", daemon=True
        )
        try:
            self.process.start()
        except OSError as error:
            raise ConfigurationError(
                f"no process can be started to check signatures: {error.strerror}; "
                "ask for one job"
            ) from error
        finally:
            theirs.close()  # theirs alone now, so its end is the end of the process
        self.batches: deque[_Batch[T]] = deque()

    def send(self, batch: _Batch[T]) -> None:
        self.batches.append(batch)
        try:
            self.connection.send(batch.claims)
        except OSError as error:
            raise _gone() from error
        batch.claims = []

    def receive(self) -> None:
        """Take one answer, which is there or will come."""
        batch = self.batches.popleft()
        try:
            batch.verdicts = self.connection.recv_bytes(_BATCH_ENTRIES)
        except (EOFError, OSError) as error:
            raise _gone() from error
        if len(batch.verdicts) != len(batch.items):
            raise _gone()

    def close(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.join()


class SignaturesInProcesses(Generic[T]):
    """Has entries checked by ``jobs`` processes (a ``Queue``). Close it.

    They are started with the first batch. As all processes that are spawned, they
    import the main module of the program: it has to be fit for that.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._workers: dict[Connection, _Worker[T]] = {}
        self._next: _Batch[T] = _Batch()
        self._waiting: deque[_Batch[T]] = deque()

    def add(self, item: T, claim: Claim | None) -> Sequence[tuple[T, bool]]:
        """See ``Queue.add``."""
        self._next.add(item, claim)
        if not self._next.full:
            return ()
        self._send()
        results: list[tuple[T, bool]] = []
        while self._waiting and self._waiting[0].verdicts is not None:
            results += self._waiting.popleft().results()
        return results

    def drain(self) -> Iterator[tuple[T, bool]]:
        """See ``Queue.drain``."""
        if self._next.items:
            self._send()
        while self._waiting:
            while self._waiting[0].verdicts is None:
                self._receive()
            yield from self._waiting.popleft().results()

    def close(self) -> None:
        """See ``Queue.close``; ends the processes."""
        self._waiting.clear()
        self._next = _Batch()
        while self._workers:
            self._workers.popitem()[1].close()

    def _send(self) -> None:
        """Hand the batch to the process that has least to do."""
        batch, self._next = self._next, _Batch()
        self._waiting.append(batch)
        if not self._workers:
            started = [_Worker[T]() for _ in range(self._jobs)]
            self._workers = {worker.connection: worker for worker in started}
        while True:
            worker = min(self._workers.values(), key=lambda each: len(each.batches))
            if len(worker.batches) < _AHEAD:
                break
            self._receive()
        worker.send(batch)
        while len(self._waiting) > _WAITING * self._jobs and (
            self._waiting[0].verdicts is None
        ):
            self._receive()

    def _receive(self) -> None:
        """Wait until any process answers."""
        busy = [each.connection for each in self._workers.values() if each.batches]
        for connection in wait(busy):
            self._workers[connection].receive()  # type: ignore[index]  # of ours only


def _check_all(connection: Connection) -> None:
    """What a process does: answer batch after batch until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who asks us
    while True:
        try:
            claims: list[Claim | None] = connection.recv()
            connection.send_bytes(
                bytes(claim is None or holds(claim) for claim in claims)
            )
        except (EOFError, OSError):
            return


def _gone() -> LogUnavailableError:
    return LogUnavailableError(
        "a process that was to check signatures ended before it had answered; "
        "nothing is said of the log. Try again, with --jobs 1 if it happens again"
    )
