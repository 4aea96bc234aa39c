"""Files that are there whole or not at all, and still there after a power cut."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["replace_file"]


def replace_file(path: Path, data: bytes, *, draft: Path) -> None:
    """Write ``draft``, and give it the name ``path`` once it is on the disk.

    Raises what the system raises: whoever calls it knows what could not be written.
    """
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # else the name may be lost, and what comes later be there
    finally:
        os.close(folder)
