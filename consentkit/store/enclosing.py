"""What code of the app's does on a connection in the middle of a transaction of ours.

It runs in a savepoint. An error of a statement that it passes over ends there, which
PostgreSQL would otherwise answer by turning the commit of everything into a rollback,
without an error. And a savepoint that is no longer there shows that the transaction
around it was ended, whatever was begun in its place.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING
from typing import Any

import sqlalchemy as sa

from consentkit.errors import LogUnavailableError
from consentkit.errors import wordless
from consentkit.store.joinable import is_going_on

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator

__all__ = ["check_commits", "enclosed"]

_IN_ERROR = 3  # psycopg's TransactionStatus.INERROR


@contextlib.contextmanager
def enclosed(
    connection: sa.Connection, *, undone: Callable[[], object]
) -> Iterator[None]:
    """All that is done in here, or nothing of it, and the transaction goes on.

    Where a statement failed and that was passed over, PostgreSQL has undone the rest of
    it as well, and ``undone`` is called.

    Raises:
        LogUnavailableError: the transaction was ended in here.
    """
    root, inner = connection.get_transaction(), connection.begin_nested()
    try:
        yield
    except BaseException:
        if inner.is_active:
            # One that ended has no savepoint; whoever raised is told of that first.
            with contextlib.suppress(sa.exc.SQLAlchemyError):
                inner.rollback()
        raise
    try:
        if not inner.is_active or connection.get_nested_transaction() is not inner:
            raise _ended()
        if _failed(connection):
            inner.rollback()
            undone()
        else:
            inner.commit()
    except sa.exc.SQLAlchemyError as error:
        raise _ended() from wordless(error)
    if not isinstance(root, sa.RootTransaction):
        raise _ended()
    check_commits(connection, root)


def check_commits(connection: sa.Connection, root: sa.RootTransaction) -> None:
    """See to it that a commit now would be one of that transaction.

    Raises:
        LogUnavailableError: it would store nothing, and not say so.
    """
    if not is_going_on(connection, root):
        raise _ended()


def _failed(connection: sa.Connection) -> bool:
    driver: Any = connection.connection.driver_connection
    return (
        connection.dialect.name == "postgresql"
        and int(driver.info.transaction_status) == _IN_ERROR
    )


def _ended() -> LogUnavailableError:
    return LogUnavailableError(
        "the transaction of an act was ended before its commit, or a statement in it "
        "failed; the function under @consent.within_act must not commit, roll back or "
        "close the connection"
    )
