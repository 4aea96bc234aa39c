"""What a fuzzer aims at: one reader, inputs that it takes, and what it may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from consentkit.errors import MalformedError

__all__ = ["Target", "bytes_of", "text_of"]


@dataclass(frozen=True)
class Target:
    """One reader of bytes that others wrote.

    It refuses them by one of ``refusals`` and by nothing else. Where there is a
    ``write``, it gives what was read back as it came: no other spelling is taken.
    ``seeds`` are inputs that are read, for a fuzzer to begin with; it takes no long
    time over any input of up to ``largest`` bytes.
    """

    name: str
    read: Callable[[bytes], Any]
    seeds: tuple[bytes, ...]
    write: Callable[[Any], bytes] | None = None
    refusals: tuple[type[Exception], ...] = (MalformedError,)
    largest: int = 1 << 20

    def accepts(self, data: bytes) -> bool:
        """Whether ``data`` is read; whatever escapes is a fault.

        Raises:
            AssertionError: it is read, but the writer would have spelled it otherwise.
        """
        try:
            value = self.read(data)
        except self.refusals:
            return False
        if self.write is not None:
            written = self.write(value)
            assert written == data, f"{self.name}: read {data!r}, writes {written!r}"
        return True


def text_of(data: bytes) -> str:
    """``data`` for a reader that takes text; every byte string is another text."""
    return data.decode("utf-8", "surrogateescape")


def bytes_of(text: str) -> bytes:
    """The bytes that ``text_of`` was given."""
    return text.encode("utf-8", "surrogateescape")
