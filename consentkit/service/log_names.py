"""The names of logs: each gives a folder its name, so no two may give the same one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.errors import MalformedError
from consentkit.log.keys import check_key_name

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check_log_name", "folder_name", "namesake"]

_ELSEWHERE = {".", ".."}


def folder_name(origin: str) -> str:
    """How the folder of a log is called: a name with slashes is none of a folder."""
    return origin.replace("/", "_")


def check_log_name(origin: str) -> None:
    """Refuse a name that no log may have.

    Raises:
        MalformedError: it is no name of a key, or one of its parts would lead out of
            the folder in which those of all logs lie.
    """
    check_key_name(origin)
    if _ELSEWHERE & set(origin.split("/")):
        raise MalformedError("expected a name of a log without the parts '.' and '..'")


def namesake(origin: str, logs: Iterable[str]) -> str:
    """Which of these other logs has the folder that this one would have; else empty."""
    folder = folder_name(origin)
    taken = (each for each in logs if each != origin and folder_name(each) == folder)
    return next(taken, "")
