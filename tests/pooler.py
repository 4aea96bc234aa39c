"""A pgbouncer of our own that hands out connections by transaction.

It listens on a socket beside the server's, and in the name of no database in
particular: what one asks it for, it asks the server for.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg

from tests.postgres_server import own_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres_server import PostgresServer

__all__ = ["Pooler", "serve_pooler"]

_PORT = 6432  # of the socket's name only: nothing listens on a network
_PATIENCE = 20.0
_DEBIAN = "/usr/sbin/pgbouncer"  # off the path of whoever is not root


@dataclass
class Pooler:
    """A running pooler; ``folder`` holds its socket and its log."""

    folder: Path
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Let it serve; also once more, after it was killed."""
        account = "postgres" if os.geteuid() == 0 else None  # it refuses to be root
        program = shutil.which("pgbouncer") or _DEBIAN
        self._process = subprocess.Popen(  # noqa: S603  our own arguments
            [program, "--quiet", str(self.folder / "pgbouncer.ini")],
            user=account,
            group=account,
            extra_groups=[] if account else None,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _PATIENCE
        while not self._answers():
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.01)

    def kill(self) -> None:
        """End it without a word to anybody, if it still runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        (self.folder / f".s.PGSQL.{_PORT}").unlink(missing_ok=True)

    def through(self, uri: str) -> str:
        """The same database by way of the pooler."""
        name = urlsplit(uri).path.removeprefix("/")
        return f"postgresql://ck@/{name}?host={self.folder}&port={_PORT}"

    def _answers(self) -> bool:
        address = f"host={self.folder} port={_PORT} user=ck dbname=pgbouncer"
        try:
            with psycopg.connect(address, autocommit=True) as connection:
                # Its console knows the simple protocol only.
                return connection.pgconn.exec_(b"SHOW VERSION").ntuples == 1
        except psycopg.OperationalError:
            return False


@contextlib.contextmanager
def serve_pooler(
    server: PostgresServer, *, size: int = 20, mode: str = "transaction"
) -> Iterator[Pooler]:
    """Run a pooler before that server for as long as the block lasts.

    ``size`` is how many connections to one of the server's databases it keeps.
    """
    folder = own_folder()
    lines = {
        "listen_addr": "",
        "listen_port": _PORT,
        "unix_socket_dir": folder,
        "auth_type": "any",
        "pool_mode": mode,
        "default_pool_size": size,
        "max_client_conn": 200,
        "admin_users": "ck",
        "logfile": folder / "log",
        "server_check_delay": 0,  # a server that went away is noticed at once
        "server_login_retry": 1,
    }
    settings = "\n".join(f"{name} = {value}" for name, value in lines.items())
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={server.folder} user=ck\n[pgbouncer]\n{settings}\n"
    )
    pooler = Pooler(folder)
    try:
        pooler.start()
        yield pooler
    finally:
        pooler.kill()
        shutil.rmtree(folder)
