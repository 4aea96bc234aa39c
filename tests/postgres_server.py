"""A PostgreSQL server of our own: plain ``initdb``, a Unix socket, no network."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING
from typing import Any
from urllib.parse import urlsplit

import psycopg

from consentkit.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping

__all__ = ["PostgresServer", "on_postgres", "serve_postgres"]

_TABLES = "consent_tables"
_SETTINGS = {"listen_addresses": "''", "fsync": "off", "shared_buffers": "64MB"}


@dataclass
class PostgresServer:
    """A running server; ``folder`` holds its socket."""

    folder: Path
    options: str = ""
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _has_tables: bool = False

    def start(self) -> None:
        """Let it serve; also once more, after it was killed."""
        log = str(self.folder / "log")
        options = f"-k {self.folder} {self.options}"
        data = str(self.folder / "data")
        _run("pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")

    def kill(self) -> None:
        """End it without a word to anybody, as a crash does."""
        _run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def new_database(self, name: str = "", *, template: str = "template1") -> str:
        """The URI of a database that nobody else uses; empty unless copied."""
        name = name or f"consent_{next(self._numbers)}"
        create = f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(create.encode())
        return f"postgresql://ck@/{name}?host={self.folder}"

    def new_tables(self) -> str:
        """The URI of a database whose tables are there, and empty."""
        if not self._has_tables:
            database = Database(self.new_database(_TABLES))
            database.upgrade()
            database.dispose()
            self._has_tables = True
        return self.new_database(template=_TABLES)

    def drop_database(self, uri: str) -> None:
        """Take a database away, from whoever uses it as well."""
        name = urlsplit(uri).path.removeprefix("/")
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    @property
    def address(self) -> str:
        """What psycopg connects to for what is no test's own."""
        return f"host={self.folder} user=ck dbname=postgres"


def on_postgres(uri: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Run one statement, with question marks for its values, as on SQLite."""
    with psycopg.connect(uri) as connection:
        text = statement.replace("?", "%s") if values else statement
        cursor = connection.execute(text.encode(), values or None)
        return cursor.fetchall() if cursor.description else []


@contextlib.contextmanager
def serve_postgres(
    settings: Mapping[str, str] | None = None,
) -> Iterator[PostgresServer]:
    """Run a server for as long as the block lasts; its data is gone afterwards."""
    folder = Path(mkdtemp(prefix="ckpg-"))  # short: a socket's path has 107 bytes
    data = folder / "data"
    _hand_over(folder)
    try:
        _run("initdb", "-D", str(data), "-U", "ck", "-A", "trust", "-N", "-E", "UTF8")
        options = " ".join(
            f"-c {name}={value}"
            for name, value in {**_SETTINGS, **(settings or {})}.items()
        )
        server = PostgresServer(folder, options)
        server.start()
        try:
            yield server
        finally:
            server.kill()
    finally:
        shutil.rmtree(folder)


def _hand_over(folder: Path) -> None:
    """PostgreSQL refuses to run as root: it runs as the account Debian made for it."""
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        os.chown(folder, account.pw_uid, account.pw_gid)


def _run(program: str, *arguments: str) -> None:
    account = "postgres" if os.geteuid() == 0 else None
    subprocess.run(  # noqa: S603  our own arguments
        [_binary(program), *arguments],
        check=True,
        user=account,
        group=account,
        extra_groups=[] if account else None,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def _binary(program: str) -> str:
    """Debian keeps the server's programs off the path, by version."""
    found = shutil.which(program)
    if found:
        return found
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    if not versions:
        raise FileNotFoundError(
            f"{program} is not installed: on Debian, apt-get install postgresql"
        )
    return str(versions[-1])
