"""How a ``flask consent`` command tells that something went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import TypeVar

import click

from consentkit.errors import ConsentKitError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["told"]

T = TypeVar("T")


def told(action: Callable[[], T]) -> T:
    """What it gives; what goes wrong is told in one line, without a traceback.

    Raises:
        click.ClickException: the action raised one of our errors.
    """
    try:
        return action()
    except ConsentKitError as error:
        raise click.ClickException(str(error)) from error
