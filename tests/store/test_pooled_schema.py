"""Sessions of a pooler on which somebody has said what our names are to mean."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from consentkit.core.act import State
from consentkit.store import schema
from consentkit.store.connections import Connections
from consentkit.store.database import Database
from consentkit.store.postgres_reader import query_for_one
from consentkit.store.postgres_replica import Replica
from consentkit.store.standings import postgres_query
from consentkit.store.statement import Statement
from tests.pooler import serve_pooler
from tests.postgres_server import on_postgres
from tests.store.answers import put
from tests.store.answers import withdraw
from tests.store.reader_contract import KEY
from tests.store.reader_contract import state

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator

    from tests.pooler import Pooler
    from tests.postgres_server import PostgresServer

_COPIED = ("state", "suspension", "coming_of_age", "leaf", "log")
# What another app may leave on the session, while "alice" still has given her consent.
_OTHERS = {
    "the schema of a tenant": [
        "CREATE SCHEMA tenant",
        *(
            f"CREATE TABLE tenant.consent_{name} AS TABLE public.consent_{name}"
            for name in _COPIED
        ),
        "SET search_path TO tenant, public",
    ],
    "temporary tables": [
        f"CREATE TEMPORARY TABLE consent_{name} AS TABLE public.consent_{name}"
        for name in _COPIED
    ],
    "no schema at all": ["SELECT set_config('search_path', '', false)"],
}

_READS: dict[str, Callable[[str], str]] = {
    "one": query_for_one,
    "one abroad": partial(query_for_one, abroad=True),
    "many": partial(postgres_query, 3),
    "many abroad": partial(postgres_query, 4),
}


@pytest.mark.parametrize("read", _READS)
def test_a_read_names_no_table_of_ours_without_its_schema(read: str) -> None:
    placed, plain = _READS[read]('"home".'), _READS[read]("")

    assert plain == placed.replace('"home".', "")
    assert len(re.findall(r'(?<!"home"\.)consent_\w', plain)) >= 3
    assert re.findall(r'(?<!"home"\.)consent_\w', placed) == []


@pytest.fixture
def narrow(postgres: PostgresServer) -> Iterator[Pooler]:
    """One session for all: whatever one leaves behind, the next one finds."""
    with serve_pooler(postgres, size=1) as found:
        yield found


@pytest.mark.requirement("R55")
@pytest.mark.parametrize("left", _OTHERS)
@pytest.mark.parametrize("when", ["before we look", "afterwards"])
def test_names_mean_our_tables_whatever_is_left_on_a_session(
    postgres: PostgresServer, narrow: Pooler, left: str, when: str
) -> None:
    direct = postgres.new_tables()
    place = narrow.through(direct)
    put(direct, *KEY)
    database = Database(place)
    reader = database.reader()
    if when == "afterwards":
        assert state(reader) is State.GIVEN
        with database.write(alone=False):
            pass
    for statement in _OTHERS[left]:
        on_postgres(place, statement)
    withdraw(direct, *KEY)

    assert state(reader) is State.WITHDRAWN
    (found,) = reader.standings([(*KEY, "")])
    assert found is not None
    assert found.status is not None
    assert found.status.state is State.WITHDRAWN
    query = sa.select(schema.state.c.state)
    with database.write(alone=False) as connection:
        assert connection.scalar(query) == "withdrawn"
        assert Statement(query).scalar(connection) == "withdrawn"
        connection.execute(
            sa.insert(schema.log).values(origin="one", size=0, created=0)
        )
    with database.read() as connection:
        assert connection.scalar(query) == "withdrawn"
        assert Statement(query).scalar(connection) == "withdrawn"
    assert on_postgres(direct, "SELECT origin FROM consent_log") == [("one",)]
    reader.close()
    database.dispose()


def test_a_schema_that_the_role_is_set_to_is_ours(
    postgres: PostgresServer, narrow: Pooler
) -> None:
    """With a name that has to be quoted, and a table of the app's in another one."""
    direct = postgres.new_database()
    on_postgres(direct, 'CREATE SCHEMA "Our ""own"" 5%"')
    on_postgres(
        direct,
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path TO %s', "
        """current_database(), '"Our ""own"" 5%", public'); END $$""",
    )
    on_postgres(direct, "CREATE TABLE public.order_of_the_app (id integer)")
    place = narrow.through(direct)
    database = Database(place)
    database.upgrade()
    put(direct, *KEY)
    on_postgres(place, "SET search_path TO pg_catalog")
    reader = database.reader()

    assert state(reader) is State.GIVEN
    assert None not in reader.standings([(*KEY, "")])
    # What a replica is asked names one table more.
    replica = Replica(place, Connections())
    for keys in ((*KEY, ""), (*KEY, "abroad")):
        assert replica.standing(*keys)[0].status is not None
        assert replica.standings([keys])[0] != [None]
    replica.close()
    with database.write(alone=False) as connection:
        connection.exec_driver_sql("INSERT INTO order_of_the_app VALUES (1)")
        assert connection.scalar(sa.select(schema.state.c.state)) == "given"
    with database.read() as connection:
        assert connection.scalar(sa.select(schema.state.c.state)) == "given"
    assert on_postgres(
        direct,
        "SELECT schemaname FROM pg_tables WHERE tablename = 'consent_state'",
    ) == [('Our "own" 5%',)]
    reader.close()
    database.dispose()
