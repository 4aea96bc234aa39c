"""A published log that a real app wrote: not one byte of one file can be flipped."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from consentkit.audit import Layer
from consentkit.audit import Trust
from consentkit.audit import find_faults
from consentkit.errors import VerificationError
from tests.audit.remembering import remember

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.running import Running

_FLIPS = 40  # of one file: a notice alone has ten thousand bytes
_PARTS = {"MANIFEST", "README", "checkpoints", "keys", "notices", "policy", "tile"}


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
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.sign_in("amal").answer("credit-score", "given")
    running.flask("consent", "publish")
    folder = tmp_path / "log"
    shutil.copytree(running.log_folder, folder)
    files = _files(folder)
    trust = Trust.of(running.flask("consent", "keys", "list").split())
    copy = Copy(files)
    assert not list(find_faults(copy, trust=trust)), "undamaged, it holds"
    remember(monkeypatch)
    missed = [
        (path, at)
        for path, data in files.items()
        for at in range(len(data))
        if not _found(copy, path, at, trust)
    ]
    assert missed == []


@pytest.mark.requirement("R95", "R99")
def test_a_flipped_byte_of_any_file_of_an_export_is_found_at_the_right_step(
    running: Running, tmp_path: Path
) -> None:
    running.sign_in("amal").answer("credit-score", "given")
    running.flask("consent", "publish")
    folder = tmp_path / "export"
    running.flask("consent", "export", str(folder))
    files = _files(folder)
    trust = Trust.of(running.flask("consent", "keys", "list").split())
    copy = Copy(files)
    assert not list(find_faults(copy, trust=trust)), "undamaged, it holds"
    steps = {
        path: {
            _step(copy, path, at, trust)
            for at in range(0, len(data), 1 + len(data) // _FLIPS)
        }
        for path, data in files.items()
    }
    assert steps == {path: {_expected(path)} for path in files}
    assert {path.partition("/")[0] for path in files} >= _PARTS


def _files(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def _found(copy: Copy, path: str, at: int, trust: Trust) -> bool:
    return _step(copy, path, at, trust) is not None


def _step(copy: Copy, path: str, at: int, trust: Trust) -> str | None:
    """The step that finds the flipped byte first."""
    copy.flip(path, at)
    first = next(iter(find_faults(copy, trust=trust, layers=[Layer.LOG])), None)
    return first.step if first else None


def _expected(path: str) -> str:
    if path == "checkpoint":
        return "checkpoint"
    return "entries" if path.startswith("tile/") else "manifest"
