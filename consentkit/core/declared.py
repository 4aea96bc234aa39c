"""What all declared values have in common: frozen once they are found to be sound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from consentkit.core.text import freeze_text
from consentkit.errors import DeclarationError

__all__ = ["Declared", "as_list", "check_flag", "check_unique"]

_Listed = TypeVar("_Listed")


class Declared:
    """Frozen values that are the same if their fields are, and hash by id."""

    __slots__ = ()

    def _freeze(self, **values: object) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _freeze_texts(self, what: str, *names: str) -> None:
        for name in names:
            value = freeze_text(what, name, getattr(self, name))
            object.__setattr__(self, name, value)


def as_list(what: str, name: str, values: Sequence[_Listed]) -> Sequence[_Listed]:
    """The values, if they are a list.

    Raises:
        DeclarationError: they are not.
    """
    # a lone string is a sequence too, of letters that nobody meant
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise DeclarationError(
            f"{what}: {name} must be a list, got {type(values).__name__}"
        )
    return values


def check_flag(what: str, name: str, value: object) -> None:
    """Refuse what is neither True nor False.

    Raises:
        DeclarationError: it is something else.
    """
    # "false" out of somebody's settings is true to Python
    if not isinstance(value, bool):
        raise DeclarationError(
            f"{what}: {name} must be True or False, got {type(value).__name__}"
        )


def check_unique(what: str, noun: str, ids: list[str]) -> None:
    """Refuse an id that stands in a list twice.

    Raises:
        DeclarationError: one does.
    """
    twice = sorted({each for each in ids if ids.count(each) > 1})
    if twice:
        raise DeclarationError(f"{what}: {noun} {', '.join(twice)} is listed twice")
