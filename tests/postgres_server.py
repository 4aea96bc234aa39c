"""A PostgreSQL server of our own: plain ``initdb``, a Unix socket, no network."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import time
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

__all__ = [
    "PostgresServer",
    "on_postgres",
    "own_folder",
    "run_program",
    "serve_postgres",
]

_TABLES = "consent_tables"
_PATIENCE = 30.0  # seconds for something that takes a moment
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
        run_program("pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")

    def kill(self) -> None:
        """End it without a word to anybody, if it still runs."""
        if self.processes():
            self.thaw()
            data = str(self.folder / "data")
            run_program("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")

    def crash(self) -> None:
        """``kill -9`` of the postmaster and of each of its children."""
        self.freeze()
        stopped = self.processes()
        for process in stopped:
            os.kill(process, signal.SIGKILL)
        deadline = time.monotonic() + _PATIENCE
        while any(map(_is_alive, stopped)):
            assert time.monotonic() < deadline, "it does not die"
            time.sleep(0.01)
        # Where the first process of a container reaps no dead, the server would take
        # its own for one that still runs.
        self._known.unlink(missing_ok=True)
        for lock in self.folder.glob(".s.PGSQL.*.lock"):
            lock.unlink()

    def freeze(self) -> None:
        """Let it answer nobody, though its connections stay open, as a hung disk does.

        ``thaw`` lets it go on.
        """
        seen: list[int] = []
        while seen != (found := self.processes()):  # none that began meanwhile is left
            for process in found:
                os.kill(process, signal.SIGSTOP)
            seen = found

    def thaw(self) -> None:
        """Let it go on after ``freeze``."""
        for process in self.processes():
            os.kill(process, signal.SIGCONT)

    @contextlib.contextmanager
    def full_disk(self) -> Iterator[None]:
        """No file of it grows beyond what it has, for as long as the block lasts.

        It may end itself meanwhile, where it cannot write its log.
        """
        self._limit("0:")
        try:
            yield
        finally:
            self._limit("unlimited:")
            if not self.processes():
                self.start()  # as its supervisor does

    def _limit(self, size: str) -> None:
        for process in self.processes():
            run_program("prlimit", "--pid", str(process), f"--fsize={size}")

    def processes(self) -> list[int]:
        """The postmaster and its children; empty if it does not run."""
        try:
            postmaster = int(self._known.read_text().splitlines()[0])
        except FileNotFoundError:
            return []
        children = (each for each in _all() if _parent(each) == postmaster)
        return [each for each in (postmaster, *children) if _is_alive(each)]

    @property
    def _known(self) -> Path:
        return self.folder / "data" / "postmaster.pid"

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

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement on this server, whatever it is by now."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def wait_for(self, question: str) -> None:
        """Until this server answers a question with true."""
        deadline = time.monotonic() + _PATIENCE
        while self.ask(question) != [(True,)]:
            assert time.monotonic() < deadline, f"it never came to: {question}"
            time.sleep(0.01)

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
    folder = own_folder()
    data = folder / "data"
    try:
        run_program(
            "initdb", "-D", str(data), "-U", "ck", "-A", "trust", "-N", "-E", "UTF8"
        )
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


def own_folder() -> Path:
    """A new folder that the server may write to; whoever asks takes it away again.

    PostgreSQL refuses to run as root: it runs as the account Debian made for it.
    """
    folder = Path(mkdtemp(prefix="ckpg-"))  # short: a socket's path has 107 bytes
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        os.chown(folder, account.pw_uid, account.pw_gid)
    return folder


def run_program(program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL as the account that the server runs as.

    Raises:
        FileNotFoundError: it is not installed.
    """
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


def _all() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]


def _parent(process: int) -> int:
    return int((_stat(process) or ["", "0"])[1])


def _is_alive(process: int) -> bool:
    """Not one that is dead and that nobody has asked about yet."""
    return (_stat(process) or "Z")[0] != "Z"


def _stat(process: int) -> list[str]:
    """State, parent and so on by ``/proc``; empty if there is no such process."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()


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
