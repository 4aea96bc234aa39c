"""Why a database did not answer, as far as it may be said: never what is in a row."""

from __future__ import annotations

from typing import Any

__all__ = ["reason_of"]

# What the server says of connections, of its resources and of its own end. Messages
# of any other class can repeat a value, and so can the details of these.
_OF_THE_SERVER = ("08", "53", "57P")
_LONGEST = 200


def reason_of(error: BaseException) -> str:
    """The name of the error, and the reason where PostgreSQL or libpq gives one.

    That is the first line of libpq, which names the server and never a password, or
    the SQLSTATE and the message of a server that cannot go on.
    """
    name = type(error).__name__
    cause: Any = getattr(error, "orig", None) or error
    if not hasattr(cause, "sqlstate"):  # not of psycopg
        return name
    state = cause.sqlstate
    if state is None and _is_of_the_connection(cause):
        return _joined(name, str(cause))
    if state is not None and state.startswith(_OF_THE_SERVER):
        return _joined(f"{name}, {state}", cause.diag.message_primary or "")
    return name


def _is_of_the_connection(cause: BaseException) -> bool:
    return any(kind.__name__ == "OperationalError" for kind in type(cause).__mro__)


def _joined(name: str, message: str) -> str:
    line = message.partition("\n")[0].strip()
    return f"{name}: {line[:_LONGEST]}" if line else name
