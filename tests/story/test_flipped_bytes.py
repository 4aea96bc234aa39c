"""A published log that a real app wrote: not one byte of one file can be flipped."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from consentkit.audit import Layer
from consentkit.audit import Trust
from consentkit.audit import find_faults
from consentkit.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.running import Running


class Copy:
    """The files of a log in memory, one byte of one of them flipped."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.flipped = ("", b"")

    def flip(self, path: str, at: int) -> None:
        data = bytearray(self.files[path])
        data[at] ^= 1 << (at % 8)
        self.flipped = (path, bytes(data))

    def read(self, path: str) -> bytes:
        if path == self.flipped[0]:
            return self.flipped[1]
        if path not in self.files:
            raise VerificationError(f"there is no {path}", step="files")
        return self.files[path]

    def paths(self) -> Iterator[str]:
        return iter(self.files)


@pytest.mark.requirement("R95", "R96")
def test_any_one_flipped_byte_of_any_file_is_found(
    running: Running, tmp_path: Path
) -> None:
    running.sign_in("amal").answer("credit-score", "given")
    running.flask("consent", "publish")
    folder = tmp_path / "log"
    shutil.copytree(running.log_folder, folder)
    files = {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
    trust = Trust.of(running.flask("consent", "keys", "list").split())
    copy = Copy(files)
    assert not list(find_faults(copy, trust=trust)), "undamaged, it holds"
    missed = [
        (path, at)
        for path, data in files.items()
        for at in range(len(data))
        if not _found(copy, path, at, trust)
    ]
    assert missed == []


def _found(copy: Copy, path: str, at: int, trust: Trust) -> bool:
    copy.flip(path, at)
    return (
        next(iter(find_faults(copy, trust=trust, layers=[Layer.LOG])), None) is not None
    )
