"""Connections of an app's that cannot hold an act, and what they are refused with."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from contextlib import suppress
from typing import TYPE_CHECKING
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session
from sqlalchemy.orm import sessionmaker

from consentkit import ConfigurationError
from consentkit.errors import LogUnavailableError
from tests.declared import SCORE
from tests.pooler import serve_pooler
from tests.web.joined_hosts import NOTE
from tests.web.joined_hosts import JoinedHost
from tests.web.joined_hosts import engine_for
from tests.web.joined_hosts import joined_host

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres_server import PostgresServer


@pytest.fixture(scope="module")
def on_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JoinedHost]:
    folder = tmp_path_factory.mktemp("file")
    uri = f"sqlite:///{folder / 'app.sqlite3'}"
    with joined_host("session", uri, folder) as found:
        yield found
        found.check()


@pytest.fixture(scope="module")
def on_server(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[JoinedHost]:
    uri = postgres.new_database().replace("postgresql:", "postgresql+psycopg:")
    folder = tmp_path_factory.mktemp("server")
    with joined_host("session", uri, folder) as found:
        yield found
        found.check()


def refused(app: JoinedHost, work: Any, *, why: str) -> None:
    """It is, before anything of the block runs, and whatever was there goes on."""
    with (
        app.shop.app.app_context(),
        pytest.raises(ConfigurationError, match=why),
        app.shop.consent.joining(work),
    ):
        pytest.fail("it was entered")
    assert app.shop.state.installation.database.joined is None


def url_of(app: JoinedHost) -> str:
    return app.engine.url.render_as_string(hide_password=False)


def test_what_is_no_session_is_refused(on_file: JoinedHost) -> None:
    for given in (None, on_file.engine, sessionmaker(on_file.engine), "sqlite://"):
        refused(on_file, given, why="takes a Session of SQLAlchemy")


def test_a_session_without_a_default_database_is_refused(on_file: JoinedHost) -> None:
    with Session(binds={NOTE: on_file.engine}) as session:
        refused(on_file, session, why="this one has no default")


def test_a_session_whose_commit_is_not_the_databases_is_refused(
    on_file: JoinedHost,
) -> None:
    with on_file.engine.connect() as connection, Session(connection) as session:
        refused(on_file, session, why="bound to a Connection")
    with Session(on_file.engine, twophase=True) as session:
        refused(on_file, session, why="two phases")
    with Session(on_file.engine) as session, session.begin_nested():
        refused(on_file, session, why="before the savepoint")
    closed = on_file.engine.connect()
    closed.close()
    refused(on_file, closed, why="closed Connection")


def test_another_database_is_refused(on_file: JoinedHost, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite3"
    other.write_bytes(b"")
    for uri in (f"sqlite:///{other}", "sqlite://"):
        engine = sa.create_engine(uri)
        with Session(engine) as session:
            refused(on_file, session, why="another database than that")
        engine.dispose()


def test_another_server_or_schema_is_refused(
    on_server: JoinedHost, on_file: JoinedHost, postgres: PostgresServer
) -> None:
    other = postgres.new_tables().replace("postgresql:", "postgresql+psycopg:")
    elsewhere = f"{url_of(on_server)}&options=-csearch_path%3Dpg_catalog"
    for uri in (other, elsewhere, url_of(on_file)):
        engine = sa.create_engine(uri)
        with Session(engine) as session:
            refused(on_server, session, why="another database than that")
        engine.dispose()
    with Session(on_server.engine) as session:
        refused(on_file, session, why="another database than that")


def test_one_file_has_many_names(on_file: JoinedHost, tmp_path: Path) -> None:
    name = tmp_path / "link.sqlite3"
    name.symlink_to(on_file.engine.url.database or "")
    engine = engine_for(f"sqlite:///{name}")
    app = on_file.anew()
    consent = app.shop.consent
    with (
        app.shop.app.app_context(),
        Session(engine) as session,
        consent.joining(session),
    ):
        consent.revoke(app.ann, SCORE)
    engine.dispose()
    assert not app.shop.allows(app.ann)


def test_a_pooler_in_between_is_no_hindrance(
    on_server: JoinedHost, postgres: PostgresServer
) -> None:
    app = on_server.anew()
    consent = app.shop.consent
    with serve_pooler(postgres, size=2) as pooler:
        uri = pooler.through(url_of(app)).replace("postgresql:", "postgresql+psycopg:")
        engine = sa.create_engine(uri, connect_args={"prepare_threshold": None})
        with app.shop.app.app_context(), Session(engine) as session:
            with consent.joining(session):
                app.add(session, "by way of it")
                consent.revoke(app.ann, SCORE)
            with suppress(ZeroDivisionError), consent.joining(session):
                consent.revoke(app.bob, SCORE)
                raise ZeroDivisionError
        engine.dispose()
    assert app.notes() == ["by way of it"]
    assert not app.shop.allows(app.ann)
    assert app.shop.allows(app.bob)


def test_another_driver_is_refused(on_server: JoinedHost) -> None:
    """One that is not there at all: what it would be used for is told first."""
    connection: Any = on_server.engine.connect()
    connection.dialect = type(
        "Dialect", (), {"name": "postgresql", "driver": "psycopg2"}
    )
    refused(on_server, connection, why=r"got 'postgresql\+psycopg2://'")
    connection.close()


@pytest.mark.parametrize(
    ("level", "why"),
    [
        ("AUTOCOMMIT", "by itself"),
        ("REPEATABLE READ", "isolation level repeatable read"),
        ("SERIALIZABLE", "isolation level serializable"),
    ],
)
@pytest.mark.parametrize("of_engine", [True, False])
def test_an_isolation_that_hides_the_newest_commit_is_refused(
    on_server: JoinedHost, level: Any, why: str, *, of_engine: bool
) -> None:
    if of_engine:
        engine = sa.create_engine(url_of(on_server), isolation_level=level)
        with Session(engine) as session:
            refused(on_server, session, why=why)
        engine.dispose()
    else:
        with on_server.engine.connect() as connection:
            connection.execution_options(isolation_level=level)
            refused(on_server, connection, why=why)


def test_a_read_only_connection_is_refused(on_server: JoinedHost) -> None:
    with on_server.engine.connect() as connection:
        connection.execution_options(postgresql_readonly=True)
        refused(on_server, connection, why="is read-only")


def test_autocommit_on_sqlite_is_refused(on_file: JoinedHost) -> None:
    with on_file.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        refused(on_file, connection, why="by itself")


def test_an_engine_in_autocommit_on_sqlite_is_in_a_transaction_within_the_block(
    on_file: JoinedHost,
) -> None:
    """There the setting is one of the driver alone, and ``BEGIN`` overrules it."""
    app = on_file.anew()
    engine = sa.create_engine(url_of(app), isolation_level="AUTOCOMMIT")
    consent = app.shop.consent
    with app.shop.app.app_context(), Session(engine) as session:
        with suppress(ZeroDivisionError), consent.joining(session):
            app.add(session, "never")
            consent.revoke(app.ann, SCORE)
            raise ZeroDivisionError
        with consent.joining(session):
            app.add(session, "kept")
            consent.revoke(app.bob, SCORE)
    engine.dispose()
    assert app.notes() == ["kept"]
    assert app.shop.allows(app.ann)
    assert not app.shop.allows(app.bob)


def unsafe(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")


def own_rows(connection: Any, _record: object) -> None:
    connection.row_factory = sqlite3.Row


@pytest.mark.parametrize(
    ("prepare", "why"), [(unsafe, "synchronous=FULL"), (own_rows, "row_factory")]
)
def test_what_an_engine_sets_on_sqlite_is_refused_and_not_changed(
    on_file: JoinedHost, prepare: Callable[..., None], why: str
) -> None:
    engine = sa.create_engine(url_of(on_file))
    event.listen(engine, "connect", prepare)
    with Session(engine) as session:
        refused(on_file, session, why=why)
    engine.dispose()


def by_hand(connection: Any, _record: object) -> None:
    connection.isolation_level = None


def test_acts_on_another_database_are_no_part_of_the_block(
    on_file: JoinedHost, on_server: JoinedHost
) -> None:
    here, there = on_file.anew(), on_server.anew()
    with (
        suppress(ZeroDivisionError),
        here.work() as work,
        here.shop.consent.joining(work),
    ):
        here.shop.consent.revoke(here.ann, SCORE)
        with there.shop.app.app_context():
            there.shop.consent.revoke(there.ann, SCORE)
        raise ZeroDivisionError
    assert here.shop.allows(here.ann)
    assert not there.shop.allows(there.ann)


def test_a_transaction_that_has_read_before_somebody_wrote_cannot_be_joined(
    on_file: JoinedHost,
) -> None:
    """As with SQLAlchemy's recipe for SQLite, which begins deferred by itself."""
    app = on_file.anew()
    engine = engine_for(url_of(app), connect_args={"timeout": 0.1})
    event.listen(engine, "connect", by_hand)
    event.listen(engine, "begin", lambda found: found.exec_driver_sql("BEGIN"))
    consent = app.shop.consent
    with app.shop.app.app_context(), Session(engine) as session:
        with consent.joining(session):  # entered first, it waits its turn
            consent.revoke(app.ann, SCORE)
        session.scalars(sa.select(NOTE.c.text)).all()
        with closing(sqlite3.connect(engine.url.database or "")) as other:
            other.execute("BEGIN IMMEDIATE")
            with (
                pytest.raises(LogUnavailableError, match="before the first statement"),
                consent.joining(session),
            ):
                pytest.fail("it was entered")
        session.rollback()
        with consent.joining(session):
            consent.revoke(app.bob, SCORE)
    engine.dispose()
    assert not app.shop.allows(app.ann)
    assert not app.shop.allows(app.bob)


def test_what_an_act_sets_on_the_connection_is_put_back(
    on_file: JoinedHost, on_server: JoinedHost
) -> None:
    app = on_file.anew()
    with app.work() as work, app.shop.consent.joining(work) as joined:
        joined.connection.exec_driver_sql("PRAGMA secure_delete=OFF")
        app.shop.consent.revoke(app.ann, SCORE)
        found = joined.connection.exec_driver_sql("PRAGMA secure_delete")
        assert found.scalar_one() == 0

    app = on_server.anew()
    with app.work() as work, app.shop.consent.joining(work) as joined:
        run = joined.connection.exec_driver_sql
        run("SET LOCAL lock_timeout = '7s'")
        run("SET LOCAL synchronous_commit = off")
        app.shop.consent.revoke(app.ann, SCORE)
        assert run("SHOW lock_timeout").scalar_one() == "7s"
        assert run("SHOW synchronous_commit").scalar_one() == "on"


def test_of_two_that_wait_for_each_other_one_is_refused_and_undone(
    on_server: JoinedHost,
) -> None:
    app = on_server.anew()
    both_hold_one, outcomes = threading.Barrier(2), []

    def act(first: str, second: str) -> None:
        with app.work() as work:
            try:
                with app.shop.consent.joining(work):
                    app.add(work, first)
                    app.shop.consent.revoke(first, SCORE)
                    both_hold_one.wait(10)
                    app.shop.consent.revoke(second, SCORE)
            except LogUnavailableError:
                outcomes.append("refused")
            else:
                outcomes.append("both")

    pairs = ((app.ann, app.bob), (app.bob, app.ann))
    threads = [threading.Thread(target=act, args=each) for each in pairs]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(outcomes) == ["both", "refused"]
    assert len(app.notes()) == 1
    assert not app.shop.allows(app.ann)
    assert not app.shop.allows(app.bob)


def test_who_waits_for_a_person_too_long_is_refused_and_the_block_goes_on(
    on_server: JoinedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = on_server.anew()
    monkeypatch.setattr("consentkit.store.joinable._LOCK_SECONDS", 1)
    with app.engine.begin() as other, app.work() as work:
        other.exec_driver_sql(
            "SELECT 1 FROM consent_subject WHERE subject = %s FOR UPDATE", (app.ann,)
        )
        with app.shop.consent.joining(work):
            with pytest.raises(LogUnavailableError):
                app.shop.consent.revoke(app.ann, SCORE)
            app.shop.consent.revoke(app.bob, SCORE)
            app.add(work, "went on")
    assert app.notes() == ["went on"]
    assert app.shop.allows(app.ann)
    assert not app.shop.allows(app.bob)
