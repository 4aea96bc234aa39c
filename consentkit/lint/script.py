"""What an inline script does at once, told by its text: calls and cookies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from consentkit.lint.address import host_of

if TYPE_CHECKING:
    from collections.abc import Container

__all__ = ["NEEDED_COOKIE", "foreign_call", "kept_cookie"]

# What a session needs, and what remembers a choice of language or theme.
NEEDED_COOKIE = re.compile(
    r"sess|csrf|xsrf|token|auth|sid\b|lang|locale|theme", re.IGNORECASE
)
_CALL = re.compile(
    r"(?:\.src\s*=|fetch\(|sendbeacon\(|import\(|\.open\([^)]{0,40},)\s*"
    r"""["'`]((?:https?:)?//[^"'`\s]+)"""
)
_COOKIE = re.compile(r"""document\.cookie\s*=\s*["'`]([\w.-]+)=""")
# What follows runs when something happens, which may be the yes.
_DEFERRED = re.compile(
    r"addeventlistener|onclick|function\s+\w+\s*\(|\w+\s*=\s*(?:async\s*)?\("
)


def foreign_call(code: str, *, own: Container[str]) -> str:
    """Return another host that the script calls when it is read, or ``""``."""
    hosts = (host_of(match[1]) for match in _CALL.finditer(_at_once(code)))
    return next((host for host in hosts if host and host not in own), "")


def kept_cookie(code: str) -> str:
    """Return a cookie that the script sets when it is read and no session needs."""
    names = (match[1] for match in _COOKIE.finditer(_at_once(code)))
    return next((name for name in names if not NEEDED_COOKIE.search(name)), "")


def _at_once(code: str) -> str:
    """Return the code up to the first function that runs later."""
    later = _DEFERRED.search(code)
    return code[: later.start()] if later else code
