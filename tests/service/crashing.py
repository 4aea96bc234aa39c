"""Forks that kill themselves at one call of something, counted from outside the code.

What is watched is where a process meets the world: statements of SQLite, the commit,
files, locks and the signature. Nothing in the code under test knows of it.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import sqlite3
import traceback
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from sqlalchemy.engine.default import DefaultDialect

from consentkit.log.keys import Ed25519Signer
from consentkit.log.tiles import parse_tile_path
from tests.service.log_files import check_tree
from tests.service.log_files import files
from tests.service.log_files import on_disk
from tests.service.log_files import verify_prefix

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Collection

    from tests.service.wallet import Wallet

__all__ = ["Crash", "check_left", "check_recovered", "crash"]

_WATCHED: tuple[tuple[Any, str], ...] = (
    (os, "mkdir"),
    (os, "open"),
    (os, "fsync"),
    (os, "rename"),
    (Path, "open"),
    (fcntl, "flock"),
    (Ed25519Signer, "sign"),
    (DefaultDialect, "do_commit"),
    (DefaultDialect, "do_rollback"),
)
_STEPS = 40  # of SQLite's machine between two counts within one statement


class Crash(NamedTuple):
    """How a fork ended: whether it was killed, and what it had promised by then."""

    killed: bool
    promised: list[str]


class _Fuse:
    """Kills this process when the count has come to ``at``."""

    def __init__(self, at: int) -> None:
        self._left = at

    def tick(self, *_: object) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def crash(
    script: Callable[[Callable[[str], None]], object],
    *,
    at: int = 0,
    within_statements: bool = False,
    after: float | None = None,
) -> Crash:
    """Run ``script`` in a fork that is killed at a count, or after so many seconds.

    It gets a function that takes what it promised, at once and for good. An exception
    in it fails the test here.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _run(script, writer, _Fuse(at), within_statements=within_statements)
    os.close(writer)
    if after is not None:
        poller = select.poll()
        poller.register(reader, select.POLLHUP)
        poller.poll(after * 1000)  # at its end nobody holds the other side
        os.kill(pid, signal.SIGKILL)
    with os.fdopen(reader) as told:
        lines = told.read().splitlines()
    _, status = os.waitpid(pid, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert killed or status == 0, "\n".join(lines)
    return Crash(killed, lines)


def _run(
    script: Callable[[Callable[[str], None]], object],
    writer: int,
    fuse: _Fuse,
    *,
    within_statements: bool,
) -> None:
    code = 0
    try:
        for owner, name in _WATCHED:
            _watch(owner, name, fuse)
        _watch_sqlite(fuse, within_statements=within_statements)
        script(lambda promise: _tell(writer, promise))
    except BaseException:  # noqa: BLE001  a fork must never return into the test
        code = 1
        _tell(writer, traceback.format_exc())
    os._exit(code)


def _tell(writer: int, line: str) -> None:
    os.write(writer, line.encode() + b"\n")


def _watch(owner: Any, name: str, fuse: _Fuse) -> None:
    """Count before and after each call."""
    original = getattr(owner, name)

    def counted(*arguments: Any, **options: Any) -> Any:
        fuse.tick()
        result = original(*arguments, **options)
        fuse.tick()
        return result

    setattr(owner, name, counted)


def _watch_sqlite(fuse: _Fuse, *, within_statements: bool) -> None:
    """Count before each statement, and if asked every few steps within it."""
    original = sqlite3.connect

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = original(*arguments, **options)
        connection.set_trace_callback(fuse.tick)
        if within_statements:
            connection.set_progress_handler(fuse.tick, _STEPS)
        return connection

    for module in (sqlite3, sqlite3.dbapi2):
        setattr(module, "connect", connect)  # noqa: B010  of this fork alone


def check_left(wallet: Wallet, *, proven: bytes = b"") -> None:
    """What a killed process leaves: nothing half done that anybody could see.

    ``proven`` is the published checkpoint that was verified before it was killed.
    """
    ((numbered, highest),) = wallet.sql("SELECT COUNT(idx), MAX(idx) FROM consent_leaf")
    sizes = wallet.sql("SELECT size FROM consent_log")
    assert sizes == [(numbered,)] == [((-1 if highest is None else highest) + 1,)]
    checkpoints = wallet.sql("SELECT MAX(size) FROM consent_checkpoint")
    assert checkpoints == [(numbered or None,)]
    mark = wallet.installation.high_water.read()
    assert (mark.checkpoint.size if mark else 0) >= numbered
    for path in files(wallet.logs):
        assert path == "checkpoint" or parse_tile_path(path)  # and no drafts
    if on_disk(wallet) != proven:
        # Half of the files may be there; what the checkpoint speaks of, all is.
        assert verify_prefix(wallet) <= numbered


def check_recovered(wallet: Wallet, promised: Collection[str]) -> None:
    """After the next publication the log holds, is whole, and keeps every promise."""
    wallet.prove()
    check_tree(wallet)
    numbered = wallet.sql("SELECT id FROM consent_leaf WHERE idx IS NOT NULL")
    assert set(promised) <= {row[0] for row in numbered}
    for path, data in files(wallet.logs).items():
        if path != "checkpoint":
            assert wallet.installation.publications.read(path) == data
    mark = wallet.installation.high_water.read()
    assert mark
    assert on_disk(wallet).startswith(mark.checkpoint.text() + b"\n")
