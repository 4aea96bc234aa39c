"""A disk without room: by a limit of this process, or a small file system of our own.

A process may not write beyond a size that it is given (``setrlimit``): no root is
needed for that, and every file of the process is meant. As root, a file system in
memory is mounted, filled and emptied: the error is then the true one, ENOSPC.
"""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

__all__ = ["WAYS", "no_file_beyond", "small_file_system"]

_SIZE = 4 << 20


@contextlib.contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """No file of this process grows beyond so many bytes, for as long as it lasts."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def _limited(_folder: Path) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    yield lambda: no_file_beyond(0)


@contextlib.contextmanager
def small_file_system(
    folder: Path,
) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Mount one on a folder; what it yields keeps it full for as long as it lasts."""

    @contextlib.contextmanager
    def full() -> Iterator[None]:
        filler = folder / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        try:
            yield
        finally:
            filler.unlink()

    mount = ("mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "consentkit", str(folder))
    subprocess.run(mount, check=True)  # noqa: S603  our own arguments
    try:
        yield full
    finally:
        unmount = ("umount", "-l", str(folder))
        subprocess.run(unmount, check=True)  # noqa: S603  as above


WAYS = {"a limit of the process": _limited} | (
    {"a file system that is full": small_file_system} if os.geteuid() == 0 else {}
)
"""By name, what makes the disk of a folder one that can be full."""
