"""Whether there is a pooler between us and PostgreSQL, and what is different then.

A pooler that hands out connections by transaction (pgbouncer's ``pool_mode =
transaction``) gives each transaction another session of the server: what one of them
prepared or set is missing in the next, or is somebody else's. Behind one, psycopg
prepares nothing, what is asked all the time has a name made of its text
(``postgres_held``), and settings are made for one transaction, in its first statement.

A server tells each session its number, for cancelling; a pooler tells a number of its
own making. Where the two differ, there is one.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "LOCKED",
    "NOT_OURS",
    "STALE",
    "is_lost",
    "is_pooled",
    "rewrite_if_free",
]

# A prepared statement that is not there, or is there already: there is a pooler after
# all (SQLSTATE invalid_sql_statement_name, duplicate_prepared_statement).
NOT_OURS = frozenset({"26000", "42P05"})
# And one whose table changed meanwhile (feature_not_supported).
STALE = NOT_OURS | {"0A000"}
# The session is over, or the server has become one that cannot be written to.
_ENDED = ("08", "57P")
_READ_ONLY = "25006"
# Somebody else held a lock for longer than we wait (lock_not_available).
LOCKED = "55P03"


def is_pooled(connection: Any, *, known: bool | None) -> bool:
    """Whether a connection of psycopg leads to a pooler; ``known`` if that was said.

    Raises what the driver raises.
    """
    if known is not None:
        return known
    query = "SELECT pg_catalog.pg_backend_pid()"
    (number,) = connection.execute(query, prepare=False).fetchone()
    return bool(number != connection.info.backend_pid)


def is_lost(error: BaseException) -> bool:
    """Whether connections that are kept are of no use any more, after this error."""
    cause = getattr(error, "orig", None) or error
    if not hasattr(cause, "sqlstate"):  # not of the driver
        return False
    state = cause.sqlstate
    if state is None:  # libpq itself: the connection broke, or could not be made
        return type(cause).__name__ == "OperationalError"
    return state in STALE or state == _READ_ONLY or state.startswith(_ENDED)


def rewrite_if_free(driver: Any, table: str) -> bool:
    """Write a table anew, and wait for nobody; False if somebody uses it just now.

    No time-out can be set for such a statement through a pooler: it runs in no
    transaction that could hold the setting, and while it waits, everybody else does.

    Raises what the driver raises.
    """
    skipped = []

    def hear(notice: Any) -> None:
        if notice.sqlstate == LOCKED:
            skipped.append(notice)

    driver.add_notice_handler(hear)
    try:
        driver.execute(f"VACUUM (FULL, SKIP_LOCKED) {table}", prepare=False)
    finally:
        driver.remove_notice_handler(hear)
    return not skipped
