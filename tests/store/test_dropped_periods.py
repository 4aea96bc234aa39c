"""A period that ended goes as a whole, on either engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from consentkit.errors import ConfigurationError
from consentkit.errors import LogConflictError
from consentkit.store import partitions
from consentkit.store import schema
from consentkit.store.database import Database
from consentkit.store.history import History
from tests.laid_tables import lay_tables
from tests.store.test_partitions import add_log
from tests.store.test_partitions import fill_two
from tests.store.test_partitions import make_room
from tests.store.test_partitions import missing
from tests.store.test_partitions import parts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres_server import PostgresServer


class DropContract:
    """What holds on both engines, of ``dropped``: two logs, the first closed."""

    def test_a_period_goes_and_the_others_stay(self, dropped: Database) -> None:
        history = History(dropped)
        before = list(history.all_leaves())
        lines = dict(history.all_disclosures())
        with dropped.write() as connection:
            connection.execute(
                sa.insert(schema.bar), [{"id": each, "until": 9} for each in lines]
            )
        with dropped.write() as connection:
            partitions.drop_period(connection, 1)
            partitions.drop_period(connection, 1)  # again: nothing to do
        after = list(history.all_leaves())
        assert 0 < len(after) < len(before)
        assert before[-len(after) :] == after
        kept = dict(history.all_disclosures())
        assert 0 < len(kept) < len(lines)
        assert kept.items() < lines.items()
        assert history.all_bars().keys() == kept.keys()
        with dropped.read() as connection:
            logs = sa.select(schema.leaf.c.log, schema.log.c.id).join_from(
                schema.log, schema.leaf, isouter=True
            )
            assert set(connection.execute(logs).all()) == {(None, 1), (2, 2)}

    def test_leaves_of_the_others_are_still_append_only(
        self, dropped: Database
    ) -> None:
        with dropped.write() as connection:
            partitions.drop_period(connection, 1)
        for statement in (
            "DELETE FROM consent_leaf",
            "UPDATE consent_leaf SET id = ''",
        ):
            with pytest.raises(LogConflictError), dropped.write() as connection:
                connection.exec_driver_sql(statement)

    def test_a_period_that_goes_on_or_waits_is_not_dropped(
        self, dropped: Database
    ) -> None:
        before = list(History(dropped).all_leaves())
        with dropped.write() as connection:
            connection.execute(
                sa.insert(schema.leaf).values(
                    log=1, id="late", kind="closure", hash=b"", bytes=b"", time=0
                )
            )
        for log in (1, 2, 3):
            with (
                pytest.raises(ConfigurationError, match="goes on, or not all of it"),
                dropped.write() as connection,
            ):
                partitions.drop_period(connection, log)
        with dropped.read() as connection:
            rows = connection.scalar(sa.select(sa.func.count(schema.leaf.c.position)))
        assert rows == len(before) + 1

    def test_a_drop_that_is_rolled_back_leaves_all_as_it_was(
        self, dropped: Database
    ) -> None:
        before = list(History(dropped).all_leaves())
        with pytest.raises(ConfigurationError), dropped.write() as connection:
            _drop_both(connection)
        assert list(History(dropped).all_leaves()) == before
        with pytest.raises(LogConflictError), dropped.write() as connection:
            connection.exec_driver_sql("DELETE FROM consent_leaf")


def _publish(database: Database) -> Database:
    """Let every log say that what has a number in it is published."""
    numbered = sa.select(sa.func.count(schema.leaf.c.idx)).where(
        schema.leaf.c.log == schema.log.c.id
    )
    with database.write() as connection:
        connection.execute(
            sa.update(schema.log).values(size=numbered.scalar_subquery())
        )
    return database


def _drop_both(connection: sa.Connection) -> None:
    for log in (1, 2):  # the second goes on
        partitions.drop_period(connection, log)


class TestDropOnPostgres(DropContract):
    @pytest.fixture
    def uri(self, postgres: PostgresServer) -> str:
        return postgres.new_tables()

    @pytest.fixture
    def dropped(self, uri: str) -> Iterator[Database]:
        found = Database(uri)
        yield _publish(fill_two(found, uri))
        found.dispose()

    def test_no_table_of_it_is_left(self, dropped: Database, uri: str) -> None:
        with dropped.write() as connection:
            partitions.drop_period(connection, 1)
            connection.execute(
                sa.update(schema.log).where(schema.log.c.id == 1).values(dropped=1)
            )
        assert "consent_leaf_1" not in parts(uri)
        assert "consent_disclosure_1" not in parts(uri)
        assert missing(dropped) == []
        with pytest.raises(LogConflictError), dropped.write() as connection:
            connection.execute(
                sa.insert(schema.leaf).values(
                    log=1, id="late", kind="choice", hash=b"", bytes=b"", time=0
                )
            )


class TestDropOnSqlite(DropContract):
    @pytest.fixture
    def dropped(self, tmp_path: Path) -> Iterator[Database]:
        file = tmp_path / "consent.sqlite3"
        lay_tables(file)
        found = Database(f"sqlite:///{file}")
        for number in (1, 2):
            add_log(found, number, closed=number == 1)
        with found.write() as connection:
            for number in range(6):
                log = number // 3 + 1
                connection.execute(
                    sa.insert(schema.leaf).values(
                        log=log,
                        idx=number % 3,
                        id=str(number),
                        kind="disclosure",
                        hash=b"",
                        bytes=b"%d" % number,
                        time=number,
                    )
                )
                connection.execute(
                    sa.insert(schema.disclosure).values(
                        id=str(number),
                        log=log,
                        time=number,
                        **dict.fromkeys(
                            ("subject", "purpose", "recipient", "data"), "a"
                        ),
                        reason="granted",
                        record="",
                    )
                )
        yield _publish(found)
        found.dispose()

    def test_nothing_is_partitioned_and_nothing_missing(
        self, dropped: Database
    ) -> None:
        make_room(dropped, 1)
        assert missing(dropped) == []
