"""An error of the database says why, and never what is in a row or an address."""

from __future__ import annotations

import socket

import psycopg
import pytest
import sqlalchemy as sa

from consentkit.errors import LogUnavailableError
from consentkit.store.connections import Connections
from consentkit.store.database import Database
from consentkit.store.postgres_replica import Replica
from consentkit.store.reasons import reason_of


class _Told(psycopg.Error):
    """What a server answered, its details among it."""

    class _Diagnostic:
        message_primary = "server login has been failing, try again later"
        message_detail = "Key (subject)=(maya) already exists."

    diag = _Diagnostic()  # type: ignore[assignment]  # cannot be made without a server


def told(sqlstate: str) -> BaseException:
    error = _Told("server login has been failing\nDETAIL:  Key (subject)=(maya)")
    error.sqlstate = sqlstate
    return error


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


@pytest.mark.parametrize("sqlstate", ["08P01", "53300", "57P03"])
def test_a_server_that_cannot_go_on_says_why_without_its_details(sqlstate: str) -> None:
    assert reason_of(told(sqlstate)) == (
        f"_Told, {sqlstate}: server login has been failing, try again later"
    )


@pytest.mark.parametrize("sqlstate", ["23505", "22P02", "42601", "57014"])
def test_an_error_about_a_statement_has_its_name_and_nothing_more(
    sqlstate: str,
) -> None:
    assert reason_of(told(sqlstate)) == "_Told"


def test_what_libpq_says_ends_with_its_first_line() -> None:
    error = psycopg.OperationalError("connection failed: refused\nDETAIL:  maya")

    assert reason_of(error) == "OperationalError: connection failed: refused"
    assert reason_of(psycopg.DataError("maya")) == "DataError"
    of_a_file = sa.exc.OperationalError("maya", {}, OSError("maya"))
    assert reason_of(of_a_file) == "OperationalError"


def test_a_server_that_is_not_there_is_named_and_the_password_is_not() -> None:
    port = free_port()
    uri = f"postgresql://app:hunter2@127.0.0.1:{port}/consent"

    database = Database(uri)
    with pytest.raises(LogUnavailableError) as acting, database.read():
        pytest.fail("nobody listens there")
    replica = Replica(uri, Connections())
    with pytest.raises(LogUnavailableError) as checking:
        replica.standing("maya", "score", "credit")

    for caught in (acting, checking):
        assert f"port {port} failed: Connection refused" in str(caught.value)
        assert "127.0.0.1" in str(caught.value)
        assert "hunter2" not in str(caught.value)
        assert "maya" not in str(caught.value)
