"""The style sheets in a page's own markup: which declarations reach which selector.

Only ``<style>`` elements are read; what is linked is elsewhere and not fetched. Rules
for some screens alone (``@media (max-width: …)``) and for states (``:hover``) are left
to the browser, which measures them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["StyleRule", "declared", "read_sheet"]

# A page has some dozen rules in itself; the bounds keep hostile sheets short.
_MOST_RULES = 1_000
_DEEPEST = 4
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_EVERYWHERE = re.compile(r"@media\s+(all|screen|only screen)\s*$")
_PLAIN_SELECTOR = re.compile(r"[^:@{}\\]+")
_IDS = re.compile(r"#[\w-]+")
_CLASSES = re.compile(r"\.[\w-]+|\[[^\]]*\]")
_TAGS = re.compile(r"(?:^|[\s>+~])[a-z][\w-]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StyleRule:
    """One selector with what it declares; ``weight`` is its specificity."""

    selector: str
    declarations: dict[str, str]
    weight: tuple[int, int, int]


def declared(text: str) -> dict[str, str]:
    """Return the properties of a declaration block, in lower case."""
    pairs = (part.partition(":") for part in text.lower().split(";"))
    return {
        name.strip(): value.replace("!important", "").strip()
        for name, _, value in pairs
        if value.strip()
    }


def read_sheet(css: str) -> tuple[StyleRule, ...]:
    """Return the rules that hold on every screen, lightest first.

    Rules of the same weight keep their order, so that the last one wins.
    """
    rules = [
        StyleRule(selector, declarations, _weight(selector))
        for prelude, body in _blocks(_COMMENT.sub("", css))
        if (declarations := declared(body))
        for selector in (part.strip() for part in prelude.split(","))
        if _PLAIN_SELECTOR.fullmatch(selector)
    ]
    return tuple(sorted(rules[:_MOST_RULES], key=lambda rule: rule.weight))


def _blocks(css: str) -> list[tuple[str, str]]:
    """Return preludes and bodies of the rules, those in blocks for all screens too."""
    found: list[tuple[str, str]] = []
    preludes: list[str] = []
    begun = ""
    for piece in re.split(r"([{}])", css):
        if piece == "{":
            preludes.append(begun.rpartition(";")[2].strip())
            begun = ""
        elif piece == "}":
            prelude = preludes.pop() if preludes else ""
            if len(preludes) < _DEEPEST and all(map(_EVERYWHERE.match, preludes)):
                found.append((prelude, begun))
            begun = ""
        else:
            begun = piece
    return found


def _weight(selector: str) -> tuple[int, int, int]:
    """Count ids, classes and tags (Selectors 4 §17)."""
    rest = _CLASSES.sub(" ", _IDS.sub(" ", selector))
    return (
        len(_IDS.findall(selector)),
        len(_CLASSES.findall(selector)),
        len(_TAGS.findall(rest)),
    )
