"""What a page that asks or stops may fetch and run: files of its own origin alone.

The rules have names of their own, since the linter's are about any page of anybody's:

==================  ===============================================================
``inline-script``   code in the page; nobody reads it before it is sent
``event-handler``   the same in an ``on…`` attribute
``script-address``  the same in an address
``foreign-script``  a script, or what will be one, from another origin
``foreign-style``   a style sheet from there: it could hide the no tomorrow
``foreign-frame``   a page in the page from there
``base-address``    ``<base>``: each relative address leads elsewhere, the form's too
==================  ===============================================================

Scripts and style sheets of the app's own origin are the app's; the linter's browser
sees what they do. Inline styles the linter reads itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.lint.tree import Element

__all__ = ["active_faults", "is_foreign"]

_INERT = frozenset({"application/json", "application/ld+json"})  # data, never run
_LATER_SCRIPTS = frozenset({"modulepreload", "prefetch", "preload"})
_FRAMES = {"embed": "src", "frame": "src", "iframe": "src", "object": "data"}
_ADDRESSES = ("action", "formaction", "href", "src", "data", "xlink:href")
_HANDLER = re.compile(r"on[a-z]+\Z")
# Pictures that stand in the style itself (``data:``) are fetched from nowhere.
_FETCHED = re.compile(
    r"(?:@import\s*(?:url\()?|url\()\s*[\"']?(?!data:)([^\"')\s;]+)", re.IGNORECASE
)
# What a browser drops from an address before it reads it (WHATWG URL, "URL parsing").
_DROPPED = re.compile(r"[\t\n\r]|\A[\x00-\x20]+|[\x00-\x20]+\Z")


def active_faults(document: Element, host: str) -> Iterator[str]:
    """Yield what on the page runs, or comes from another origin than ``host``."""
    for element in document.elements():
        yield from _code(element)
        yield from _fetches(element, host)


def is_foreign(address: str, host: str) -> bool:
    """Whether a browser would fetch it from elsewhere than ``host``."""
    try:
        # A browser takes a backslash for a slash.
        parts = urlsplit(_DROPPED.sub("", address).replace("\\", "/"))
    except ValueError:
        return True
    if parts.scheme not in {"", "http", "https"}:
        return True
    return parts.netloc.lower() not in {"", host.lower()}


def _code(element: Element) -> Iterator[str]:
    where = f"<{element.tag}>"
    if _is_script(element) and not _source(element):
        yield f"inline-script: {where}: put it into a file of your own"
    for name in element.attributes:
        if _HANDLER.match(name):
            yield f"event-handler: {where} has {name}: put it into a file of your own"
    for name in _ADDRESSES:
        address = _DROPPED.sub("", element.get(name)).lower()
        if address.startswith(("javascript:", "vbscript:")):
            yield f"script-address: {where} has code in its {name}"


def _fetches(element: Element, host: str) -> Iterator[str]:
    where = f"<{element.tag}>"
    if _is_script(element) and is_foreign(_source(element), host):
        yield f"foreign-script: {where}: serve it from your own origin"
    if element.tag == "link":
        kinds, foreign = element.tokens("rel"), is_foreign(element.get("href"), host)
        if foreign and "stylesheet" in kinds:
            yield f"foreign-style: {where}: serve it from your own origin"
        elif foreign and _LATER_SCRIPTS.intersection(kinds):
            yield f"foreign-script: {where}: serve it from your own origin"
    for css in (element.get("style"), element.text() if element.tag == "style" else ""):
        if any(is_foreign(each, host) for each in _FETCHED.findall(css)):
            yield f"foreign-style: {where} fetches from another origin"
    frame = _FRAMES.get(element.tag)
    if element.has("srcdoc") or (frame and is_foreign(element.get(frame), host)):
        yield f"foreign-frame: {where}: a question holds no page of somebody else's"
    if element.tag == "base":
        yield f"base-address: {where}: the answers would be sent elsewhere"


def _is_script(element: Element) -> bool:
    return element.tag == "script" and element.get("type").lower() not in _INERT


def _source(element: Element) -> str:
    return element.get("src") or element.get("href") or element.get("xlink:href")
