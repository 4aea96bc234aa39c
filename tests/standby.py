"""A PostgreSQL primary and a standby that streams from it, as two servers of our own.

``serve_pair`` starts both. The addresses it gives name both servers, so that whoever
connects finds the one that takes writes, whichever that is by then.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg

from tests.postgres_server import PostgresServer
from tests.postgres_server import own_folder
from tests.postgres_server import run_program
from tests.postgres_server import serve_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping

__all__ = ["Pair", "Standby", "join_standby", "serve_pair"]

_PATIENCE = 30.0  # seconds for something that takes a moment
_PAUSE = 0.01
_REPLICATING = {
    "fsync": "on",  # what is shown is that nothing is lost: then nothing may be faked
    "wal_level": "replica",
    "max_wal_senders": "4",
    "wal_keep_size": "64MB",
    "hot_standby_feedback": "on",
    "wal_receiver_timeout": "5s",
    "wal_retrieve_retry_interval": "100ms",
}


@dataclass
class Standby(PostgresServer):
    """A server that replays what another one wrote; by ``name`` that one knows it."""

    primary: PostgresServer = field(kw_only=True)
    name: str = field(kw_only=True)

    def promote(self) -> None:
        """Let it take writes; it has when this returns."""
        run_program("pg_ctl", "-D", str(self.folder / "data"), "-w", "promote")

    def pause_replay(self) -> None:
        """Keep what arrives, but show nothing newer than now."""
        self.ask("SELECT pg_wal_replay_pause()")
        self.wait_for("SELECT pg_get_wal_replay_pause_state() = 'paused'")

    def resume_replay(self) -> None:
        """Go on replaying; ``wait_until_caught_up`` waits for it."""
        self.ask("SELECT pg_wal_replay_resume()")

    def wait_until_caught_up(self) -> None:
        """Until all that the primary has written by now can be seen here."""
        with psycopg.connect(self.primary.address, autocommit=True) as connection:
            (end,) = connection.execute("SELECT pg_current_wal_lsn()::text").fetchall()
        self.wait_for(f"SELECT pg_last_wal_replay_lsn() >= '{end[0]}'::pg_lsn")

    def wait_until_streaming(self, state: str = "%") -> None:
        """Until the primary knows it; ``state`` is 'sync' or 'quorum', say."""
        deadline = time.monotonic() + _PATIENCE
        query = (
            "SELECT 1 FROM pg_stat_replication WHERE state = 'streaming' "
            "AND application_name = %s AND sync_state LIKE %s"
        )
        with psycopg.connect(self.primary.address, autocommit=True) as connection:
            while not connection.execute(query, (self.name, state)).fetchall():
                assert time.monotonic() < deadline, f"{self.name} does not stream"
                time.sleep(_PAUSE)


@dataclass
class Pair:
    """Two servers; ``standby`` may have been promoted by now."""

    primary: PostgresServer
    standby: Standby

    def new_tables(self) -> str:
        """A multi-host address of a database whose tables are there, and empty."""
        return self.address_of(self.primary.new_tables())

    def address_of(self, uri: str) -> str:
        """The same database by whichever of the two takes writes."""
        return (
            f"postgresql://ck@/{urlsplit(uri).path.removeprefix('/')}"
            f"?host={self.primary.folder},{self.standby.folder}"
            "&target_session_attrs=read-write"
        )

    def on_standby(self, uri: str) -> str:
        """The same database on the standby alone."""
        name = urlsplit(uri).path.removeprefix("/")
        return f"postgresql://ck@/{name}?host={self.standby.folder}"

    def on_primary(self, uri: str) -> str:
        """The same database on the server that was the primary at first."""
        name = urlsplit(uri).path.removeprefix("/")
        return f"postgresql://ck@/{name}?host={self.primary.folder}"


@contextlib.contextmanager
def serve_pair(
    settings: Mapping[str, str] | None = None, *, synchronous: bool = True
) -> Iterator[Pair]:
    """Run a primary and a standby for as long as the block lasts.

    A ``synchronous`` one has each commit before it is answered. Both keep with fsync
    what they have. Either may be dead at the end.
    """
    with contextlib.ExitStack() as stack:
        primary = stack.enter_context(
            serve_postgres({**_REPLICATING, **(settings or {})})
        )
        standby = stack.enter_context(join_standby(primary, synchronous=synchronous))
        yield Pair(primary, standby)


@contextlib.contextmanager
def join_standby(
    primary: PostgresServer, name: str = "replica", *, synchronous: bool = True
) -> Iterator[Standby]:
    """Let a new server stream from one that runs, for as long as the block lasts."""
    folder = own_folder()
    data = folder / "data"
    try:
        source = f"host={primary.folder} user=ck application_name={name}"
        take = ("-D", str(data), "-R", "-X", "stream", "-c", "fast")
        run_program("pg_basebackup", *take, "-d", source)
        standby = Standby(folder, primary.options, primary=primary, name=name)
        standby.start()
        try:
            standby.wait_until_streaming()
            if synchronous:
                _require(primary, name)
                standby.wait_until_streaming("quorum")
            yield standby
        finally:
            standby.kill()
    finally:
        shutil.rmtree(folder)


def _require(primary: PostgresServer, name: str) -> None:
    """No commit is answered before that standby has it on its disk."""
    value = f"ANY 1 ({name})"
    with psycopg.connect(primary.address, autocommit=True) as connection:
        connection.execute(
            f"ALTER SYSTEM SET synchronous_standby_names = '{value}'".encode()
        )
        connection.execute("SELECT pg_reload_conf()")
