"""What a web address says, read without trusting that it is well formed."""

from __future__ import annotations

from urllib.parse import SplitResult
from urllib.parse import parse_qsl
from urllib.parse import urlsplit

__all__ = ["answers_in", "host_of"]

_BROKEN = SplitResult("", "", "", "", "")


def host_of(address: str) -> str:
    """Return the host that a page would call, ``""`` for its own or for none."""
    parts = _split(address)
    return (parts.hostname or "") if parts.scheme in {"http", "https", ""} else ""


def answers_in(address: str) -> list[tuple[str, str]]:
    """Return the names and values of the query."""
    return parse_qsl(_split(address).query)


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:  # such as an open bracket; a browser calls nobody either
        return _BROKEN
