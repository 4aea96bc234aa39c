"""What a person reads of a notice: its HTML as lines of text, for a terminal.

It is an aid. The evidence is the HTML, byte for byte.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

__all__ = ["plain_text"]

_UNSEEN = frozenset({"head", "script", "style", "template", "title"})
_INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "cite", "code", "em", "i", "mark", "small", "span"}
    | {"strong", "sub", "sup", "time", "u"}
)
_UNPRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


def plain_text(html: bytes) -> list[str]:
    """The lines that are read, one for each block; control characters are left out."""
    reader = _Reader()
    reader.feed(html.decode("utf-8", "replace"))
    reader.close()
    lines = "".join(reader.pieces).split("\n")
    shown = (" ".join(_UNPRINTED.sub(" ", line).split()) for line in lines)
    return [line for line in shown if line]


class _Reader(HTMLParser):
    """Collects text, with a newline wherever a block begins or ends."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._unseen += tag in _UNSEEN
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN and self._unseen > 0
        self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.pieces.append(data.replace("\n", " "))

    def _break(self, tag: str) -> None:
        if tag not in _INLINE:
            self.pieces.append("\n")
