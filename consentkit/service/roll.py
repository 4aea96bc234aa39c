"""A list of ids, on disk: read once, before anything is locked, in whatever order."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING
from typing import Self

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from types import TracebackType

__all__ = ["Roll"]

_IN_MEMORY = 1_000_000  # bytes; some hundred thousand ids, then a file without a name


class Roll:
    """The subjects' ids in an iterable, None where it held something that is no id.

    No id holds a line break, so each is a line and none is an empty one. Whatever the
    iterable raises comes through: nobody is locked out yet, and nothing was written.
    """

    def __init__(self, ids: Iterable[str | None]) -> None:
        self._file = tempfile.SpooledTemporaryFile(  # noqa: SIM115  see ``close``
            max_size=_IN_MEMORY, mode="w+", encoding="utf-8", newline="\n"
        )
        try:
            self._file.writelines(f"{each or ''}\n" for each in ids)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[str | None]:
        self._file.seek(0)
        for line in self._file:
            yield line[:-1] or None
