"""What differs from one kind of database to another, and nothing else.

Two kinds are spoken: SQLite, in a file beside the app (``sqlite``), and PostgreSQL, for
any number of machines (``postgres``). Every other module of this room is the same for
both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import sqlalchemy as sa

    from consentkit.core.decision import Standing
    from consentkit.store.standings import Key

__all__ = ["Kind", "Reader", "SendLocks"]


class Reader(Protocol):
    """The hot read behind every check. No decision is cached."""

    def standing(
        self, subject: str, purpose: str, recipient: str, transfer: str = ""
    ) -> Standing:
        """What the store says at this instant about one (subject, purpose, recipient).

        ``transfer`` is the purpose id of the separate cross-border question, empty
        when there is none.

        Raises:
            LogUnavailableError: the database cannot be read, or a row in it is corrupt.
        """

    def standings(self, keys: Sequence[Key]) -> list[Standing | None]:
        """The same of many keys, in their order; None where a row is corrupt.

        Every text in a key has to be one that a database can hold. All that one
        statement reads held at one instant.

        Raises:
            LogUnavailableError: the database cannot be read.
        """

    def close(self) -> None:
        """Close this thread's connection; the next read opens a new one."""


class SendLocks(Protocol):
    """What is being sent, among all who share the database."""

    def held(self, subject: str | None = None) -> AbstractContextManager[None]:
        """While something of this person leaves, or of anybody. It waits for nobody.

        Raises:
            LogUnavailableError: the lock cannot be had, so that nothing may leave.
        """

    def under_way(self, *subjects: str) -> frozenset[str]:
        """Sends of these people that go on, or of all if none is named, by some name.

        Each that held its lock before the call is among them until it is over.

        Raises:
            LogUnavailableError: nobody can say.
        """

    def close(self) -> None:
        """Close the connections that this process keeps; the next send opens one."""


class Kind(Protocol):
    """One database of one kind, by its address.

    ``conflicts`` are the driver's exceptions for a row that contradicts another,
    ``failures`` all of its exceptions.
    """

    @property
    def file(self) -> Path | None:
        """The file that everything is in, None if there is a server."""

    @property
    def conflicts(self) -> tuple[type[Exception], ...]:
        """What the driver raises where a row contradicts another."""

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """Everything that the driver raises."""

    def connect(self) -> sa.Engine:
        """A new engine. Its connections commit durably, and see the newest commit.

        Raises:
            ConfigurationError: the driver is not installed.
        """

    def make_room(self) -> None:
        """Make the place where the tables are to lie, if that is ours to make.

        Raises:
            LogUnavailableError: it cannot be made.
        """

    def take_turn(self, connection: sa.Connection, *, alone: bool) -> None:
        """Wait, at the begin of a write transaction, for those that may not overlap.

        One that is ``alone`` overlaps with none, the others with each other.
        """

    def read_by(self, connection: sa.Connection) -> None:
        """Have a connection read our tables, whatever bears their names elsewhere.

        It goes for what Core writes; the rest says itself where it looks.
        """

    def is_lost(self, error: Exception) -> bool:
        """Whether, after this error, kept connections are of no use any more."""

    def reader(self) -> Reader:
        """The hot read, on connections of its own."""

    def send_locks(self) -> SendLocks:
        """The locks of what is being sent."""

    def rewrite(self, connection: sa.Connection) -> None:
        """Leave no byte of what was deleted, as far as that is ours to do.

        Raises:
            LogUnavailableError: somebody reads or writes for too long.
        """

    def describe(self, connection: sa.Connection) -> str:
        """Which database this is and how it keeps what was committed, for the log."""
