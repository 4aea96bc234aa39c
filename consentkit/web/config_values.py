"""What more than one key of the configuration takes: a text, a time, a path."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from typing import TypeGuard

from consentkit.errors import ConfigurationError

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["is_path", "read_seconds", "read_text"]


def read_text(app: Flask, key: str) -> str:
    """A text that is not empty.

    Raises:
        ConfigurationError: it is none. It is not repeated: it may hold a password.
    """
    value = app.config[key]
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"{key} must be text; got {type(value).__name__}")
    return value


def read_seconds(app: Flask, key: str) -> int:
    """A whole number of seconds, one at least.

    Raises:
        ConfigurationError: it is none.
    """
    value = app.config[key]
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ConfigurationError(
            f"{key} must be a number of seconds; got {value!r:.40}"
        )
    return value


def is_path(value: object) -> TypeGuard[str | os.PathLike[str]]:
    """Whether it is the path of something, as a text or as a ``Path``."""
    return isinstance(value, (str, os.PathLike)) and bool(str(value))
