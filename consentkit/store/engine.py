"""What differs from one kind of database to another, and nothing else.

Two kinds are spoken: SQLite, in a file beside the app (``sqlite``), and PostgreSQL, for
any number of machines (``postgres``). Every other module of this room is the same for
both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Protocol

if TYPE_CHECKING:
    from pathlib import Path

    import sqlalchemy as sa

    from consentkit.core.decision import Standing

__all__ = ["Kind", "Reader"]


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

    def close(self) -> None:
        """Close this thread's connection; the next read opens a new one."""


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

    def reader(self) -> Reader:
        """The hot read, on connections of its own."""

    def rewrite(self, connection: sa.Connection) -> None:
        """Leave no byte of what was deleted, as far as that is ours to do.

        Raises:
            LogUnavailableError: somebody reads or writes for too long.
        """

    def describe(self, connection: sa.Connection) -> str:
        """Which database this is and how it keeps what was committed, for the log."""
