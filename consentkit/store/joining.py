"""A block that is one transaction of the app's: acts in it commit with the app's rows.

Each act is written within a savepoint, so that one that is refused leaves the rest as
it was. The end of the block commits, and what is to happen once an act is durable
happens then: nobody is told of what was rolled back. What came of it is read from the
database and not guessed, since an app can end its transaction in many ways.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING

import sqlalchemy as sa

from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError
from consentkit.errors import wordless
from consentkit.store import entries
from consentkit.store import schema
from consentkit.store.joinable import begin_write
from consentkit.store.joinable import check_same
from consentkit.store.joinable import connection_of
from consentkit.store.joinable import follow_savepoints
from consentkit.store.joinable import set_for_act
from consentkit.store.lasting import Lasting

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Collection
    from collections.abc import Iterator

    from consentkit.store.database import Database
    from consentkit.store.joinable import Work

__all__ = ["Joined", "any_block", "joined_to", "joining"]

_LOGGER = logging.getLogger("consentkit")
_AT_ONCE = 1_000  # ids in one statement
_THESE = sa.select(schema.leaf.c.id).where(
    entries.ANY_LOG, schema.leaf.c.id.in_(sa.bindparam("ids", expanding=True))
)
# Of the context and not of the thread alone: of two coroutines that take turns in one
# thread, one must not write into the transaction of the other.
_CURRENT: ContextVar[Joined | None] = ContextVar("consentkit_joined", default=None)

any_block = _CURRENT.get
"""Whether there may be a block at all: what every check asks has to be cheap."""


class Joined:
    """The transaction of one block, and what is to happen when it is durable.

    ``committed`` says whether it is: until then nothing that an act in it returned
    stands, neither a revocation nor an erasure.
    """

    def __init__(
        self, database: Database, work: Work, connection: sa.Connection
    ) -> None:
        root = connection.get_transaction()
        if not isinstance(root, sa.RootTransaction):
            raise ConfigurationError("consent.joining(…) found no transaction to join")
        self.connection = connection
        self.committed = False
        self._database = database
        self._work = work
        self._lasting = Lasting(connection, root)
        self._here = _here()
        self._is_over = False
        self._wrote = False
        self._calls: list[tuple[frozenset[str], Callable[[], object]]] = []

    @property
    def is_open(self) -> bool:
        """Whether its end is still to come; a copied context may outlive it."""
        return not self._is_over

    def is_of(self, database: Database) -> bool:
        """Whether acts on that database belong in here, for as long as it lasts."""
        return self.is_open and database is self._database

    @contextlib.contextmanager
    def savepoint(self) -> Iterator[sa.Connection]:
        """One act: all of it is in the transaction afterwards, or nothing.

        Raises:
            ConfigurationError: the transaction has ended, was entered elsewhere, or
                the names of our tables have come to stand for others.
            SQLAlchemyError: the database cannot be reached.
        """
        self._check_here()
        if not self._lasting.goes_on():
            raise ConfigurationError(
                "the transaction of this block has ended, or a statement in it failed: "
                "an act needs a block of its own, 'with consent.joining(…):'"
            )
        self._lasting.check_names()
        follow_savepoints(self._work)
        with self.connection.begin_nested(), set_for_act(self.connection):
            yield self.connection
        self._wrote = True

    def afterwards(
        self, call: Callable[[], object], *, leaves: Collection[str] = ()
    ) -> None:
        """Have it called once the transaction is durable, if these leaves are in it."""
        self._calls.append((frozenset(leaves), call))

    def finish(self) -> None:
        """Commit, and let happen what waits for it.

        Raises:
            LogUnavailableError: the transaction did not last to here, and what was
                written in it is not there; or nobody can say that it is durable.
            ConfigurationError: it was entered in another thread or process.
            SQLAlchemyError: it cannot be committed; nothing is stored.
        """
        self._check_here()
        try:
            lasted = self._commit()
        except BaseException:
            self.give_up()
            raise
        self._is_over = True
        self._lasting.leave()
        if self._lasting.warned:
            raise LogUnavailableError(
                "the commit was cancelled while it waited for a synchronous standby: "
                "it is in this one server, and would be lost with it"
            )
        self._settle(lasted=lasted)
        if self._wrote and not self.committed:
            raise _lost()

    def _commit(self) -> bool:
        """Commit; whether it was all one transaction.

        Raises:
            LogUnavailableError: it was not, and the acts are gone; what the app wrote
                since is not stored without them.
            SQLAlchemyError: it cannot be committed.
        """
        if not isinstance(self._work, sa.Connection):
            self._work.flush()  # while an error of it can still be seen
        lasted = self._lasting.to_the_end()
        if self._wrote and not lasted and not self._stands():
            raise _lost()
        self._work.commit()
        return lasted

    def give_up(self) -> None:
        """Roll back. What the app had committed by itself is told all the same."""
        self._is_over = True
        if self._here != _here():  # a fork must not speak on a connection of its maker
            return
        self._lasting.leave()
        try:
            self._work.rollback()
        except sa.exc.SQLAlchemyError as error:  # one that is gone has rolled back
            _LOGGER.warning(
                "consentkit: a joined transaction was lost",
                exc_info=wordless(error),
                extra={"event": "joined-block-lost"},
            )
        self._settle(lasted=False)

    def _settle(self, *, lasted: bool) -> None:
        """Let happen what waited; it is too late for any of it to change something."""
        written = self._written()
        standing = self._standing(written, trusted=lasted)
        self.committed = lasted or bool(written and standing.issuperset(written))
        for leaves, call in self._calls:
            if standing and leaves <= standing:
                try:
                    call()
                except Exception as error:
                    _LOGGER.exception(
                        "consentkit: failed after a joined block",
                        exc_info=wordless(error),
                        extra={"event": "after-joined-block-failed"},
                    )

    def _written(self) -> list[str]:
        return sorted(frozenset[str]().union(*(leaves for leaves, _ in self._calls)))

    def _stands(self) -> bool:
        """Whether a commit of the app's own stored all the acts before this one."""
        written = self._written()
        standing = self._standing(written, trusted=False)
        return bool(written) and standing.issuperset(written)

    def _standing(self, written: list[str], *, trusted: bool) -> frozenset[str]:
        """Which of these leaves are there now, in the eyes of another connection.

        If nobody can say, those of a transaction that was committed are ``trusted``.
        """
        found: set[str] = set()
        try:
            for some in range(0, len(written), _AT_ONCE):
                with self._database.read() as connection:
                    query = _THESE, {"ids": written[some : some + _AT_ONCE]}
                    found.update(connection.scalars(*query))
        except LogUnavailableError as error:
            _LOGGER.exception(
                "consentkit: cannot look what a joined block stored",
                exc_info=wordless(error),
                extra={"event": "joined-block-unknown"},
            )
            return frozenset(written) if trusted else frozenset()
        return frozenset(found)

    def _check_here(self) -> None:
        if self._here != _here():
            raise ConfigurationError(
                "a block of consent.joining(…) belongs to the thread and the process "
                "that entered it"
            )


@contextlib.contextmanager
def joining(database: Database, given: object) -> Iterator[Joined]:
    """Let acts be written in the transaction of a session or connection of the app's.

    Raises:
        ConfigurationError: such a block is open already, or that transaction cannot
            hold an act (see ``joinable``).
        LogUnavailableError: nobody can write just now; or nothing was stored, since the
            transaction did not last to the end of the block.
    """
    around = _CURRENT.get()
    if around is not None and around.is_open:
        raise ConfigurationError(
            "consent.joining(…) was entered within such a block: one block is one "
            "transaction, and its end commits"
        )
    joined = _enter(database, given)
    _CURRENT.set(joined)
    try:
        try:
            yield joined
        except BaseException:
            joined.give_up()
            raise
        joined.finish()
    finally:
        _CURRENT.set(None)


def joined_to(database: Database) -> Joined | None:
    """The block that this code runs in, if acts on that database belong in one."""
    found = _CURRENT.get()
    return found if found is not None and found.is_of(database) else None


def _enter(database: Database, given: object) -> Joined:
    with database.translated():
        work, connection = connection_of(given)
        check_same(connection, database.engine, database.file)
        begin_write(connection)
        return Joined(database, work, connection)


def _lost() -> LogUnavailableError:
    return LogUnavailableError(
        "the transaction of 'with consent.joining(…):' was rolled back, closed or "
        "ended within the block, or a statement in it failed: no act of it is stored, "
        "nor what was written after it; let the end of the block commit"
    )


def _here() -> tuple[int, int]:
    return os.getpid(), threading.get_ident()
