"""Texts that others wrote, as a person reads them in a terminal, and never steered by.

Of a notice that is its HTML as lines of text. It is an aid: the evidence is the HTML,
byte for byte.
"""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

__all__ = ["plain_json", "plain_text"]

_UNSEEN = frozenset({"head", "script", "style", "template", "title"})
_INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "cite", "code", "em", "i", "mark", "small", "span"}
    | {"strong", "sub", "sup", "time", "u"}
)
_UNPRINTED = re.compile(  # controls of terminals, of direction, and what has no width
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    r"\U000e0000-\U000e007f]"
)


def plain_text(html: bytes) -> list[str]:
    """The lines that are read, one for each block; control characters are left out."""
    reader = _Reader()
    reader.feed(html.decode("utf-8", "replace"))
    reader.close()
    lines = "".join(reader.pieces).split("\n")
    shown = (" ".join(_UNPRINTED.sub(" ", line).split()) for line in lines)
    return [line for line in shown if line]


def plain_json(value: object) -> str:
    """The value as JSON in one line; letters as they are, what steers escaped."""
    return _UNPRINTED.sub(_escape, json.dumps(value, ensure_ascii=False))


def _escape(found: re.Match[str]) -> str:
    """As JSON spells it (RFC 8259 §7), which may also spell U+007F so."""
    units = found[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


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
