"""Whether the transaction of a block is at its end the one that was entered.

An app can end it by a statement that neither SQLAlchemy nor the driver hears of, begin
another in its place, or have the names of the tables stand for others. So the database
is asked: PostgreSQL by the number of the transaction, SQLite by a savepoint around all
of it, which no other transaction has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

import sqlalchemy as sa

from consentkit.errors import ConfigurationError
from consentkit.store.joinable import TABLES
from consentkit.store.joinable import is_going_on

if TYPE_CHECKING:
    from psycopg.errors import Diagnostic

__all__ = ["Lasting"]

_OUTERMOST = "consentkit_block"
_WARNING = "01"  # the class of SQLSTATE that warnings of this kind are in
_DURABLE = """
SELECT set_config('synchronous_commit', 'on', true)
WHERE current_setting('synchronous_commit') = 'off'
"""


class Lasting:
    """The transaction that a connection is in now, to be recognised later.

    ``warned`` says whether PostgreSQL called a commit done that no standby has, as it
    does where somebody cancels the wait for one.

    Raises:
        SQLAlchemyError: the database cannot be reached.
    """

    def __init__(self, connection: sa.Connection, root: sa.RootTransaction) -> None:
        self.warned = False
        self._connection = connection
        self._root = root
        driver: Any = connection.connection.driver_connection
        self._driver = driver
        self._on_server = connection.dialect.name == "postgresql"
        if not self._on_server:
            connection.exec_driver_sql(f"SAVEPOINT {_OUTERMOST}")
            return
        marked = connection.exec_driver_sql(f"SELECT txid_current(), {TABLES}").one()
        self._number, self._tables = marked
        self._driver.add_notice_handler(self._hear)

    def goes_on(self) -> bool:
        """Whether it is open, and would commit if it were told to.

        Raises:
            SQLAlchemyError: the database cannot be reached.
        """
        if not is_going_on(self._connection, self._root):
            return False
        if not self._on_server:
            return True
        query = "SELECT txid_current_if_assigned()"
        found = self._connection.exec_driver_sql(query).scalar_one()
        return bool(found == self._number)

    def check_names(self) -> None:
        """Refuse to write where the names of our tables have come to be others'.

        Raises:
            ConfigurationError: they have.
            SQLAlchemyError: the database cannot be reached.
        """
        if not self._on_server:
            return
        found = self._connection.exec_driver_sql(f"SELECT {TABLES}").scalar_one()
        if found != self._tables:
            raise ConfigurationError(
                "the search_path of this transaction, or a table of the app's, makes "
                "the names of the consent tables stand for others than when the block "
                "was entered: leave it as it was until the block has ended"
            )

    def to_the_end(self) -> bool:
        """Whether a commit now is that of it; it is made durable then."""
        try:
            if not self.goes_on():
                return False
            if self._on_server:
                self._connection.exec_driver_sql(_DURABLE)
            elif not self._connection.in_nested_transaction():  # which ends before
                self._connection.exec_driver_sql(f"RELEASE {_OUTERMOST}")
        except sa.exc.SQLAlchemyError:
            return False
        self.warned = False
        return True

    def leave(self) -> None:
        """Take off the connection what is no longer for it to hear."""
        if self._on_server:
            self._driver.remove_notice_handler(self._hear)

    def _hear(self, told: Diagnostic) -> None:
        self.warned = self.warned or (told.sqlstate or "").startswith(_WARNING)
