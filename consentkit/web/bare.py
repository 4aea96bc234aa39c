"""Views that Flask would run without the gate that was put before them.

``@consent.require`` goes below the route. Above it, what the route got is the view
alone: that is noted on the view, and it does not run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from flask import current_app
from flask import request

from consentkit.errors import ConfigurationError
from consentkit.errors import DeclarationError
from consentkit.web.gpc import GATED

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator

__all__ = ["bare_view", "bare_views", "mark_gated", "refuse_bare_view"]

_BARE = "__consentkit_bare_view__"
_MAX_DECORATORS = 100  # one that wraps itself has no end


def refuse_bare_view() -> None:
    """Refuse to run a view whose gate was put on the wrong side of its route.

    Raises:
        ConfigurationError: ``@consent.require`` stands above ``@app.route``, so that
            Flask would call the view without it.
    """
    endpoint = request.endpoint or ""
    if _is_bare(current_app.view_functions.get(endpoint)):
        raise ConfigurationError(bare_view(endpoint))


def bare_views() -> list[str]:
    """What is to be said of each endpoint whose view is routed without its gate."""
    views = current_app.view_functions.items()
    return [bare_view(endpoint) for endpoint, view in views if _is_bare(view)]


def bare_view(endpoint: str) -> str:
    """What is to be said of it."""
    return (
        f"the view of endpoint {endpoint!r} is routed without its gate: "
        "put @consent.require below @app.route, next to the function"
    )


def mark_gated(gated: Callable[..., Any], view: Callable[..., Any]) -> None:
    """Note on a view, and on what it wraps, that there is a gate before it.

    Raises:
        DeclarationError: nothing can be noted on it.
    """
    setattr(gated, GATED, True)
    # ``functools.wraps`` copied it if there are two gates for one view.
    vars(gated).pop(_BARE, None)
    for each in _wrapped(view):
        try:
            setattr(getattr(each, "__func__", each), _BARE, True)
        except AttributeError as error:
            raise DeclarationError(
                "@consent.require needs a function, a method or a callable that takes "
                f"attributes; got {type(each).__name__}: put a function round it"
            ) from error


def _is_bare(view: Callable[..., Any] | None) -> bool:
    """Whether it would run without a gate that was put before it somewhere."""
    for each in _wrapped(view):
        if getattr(each, _BARE, False):
            return True
        if getattr(each, GATED, False):
            return False  # what stands within is behind the gate
    return False


def _wrapped(view: Callable[..., Any] | None) -> Iterator[Callable[..., Any]]:
    """A view and what it is round, from the outside in, as ``functools.wraps`` says."""
    for _ in range(_MAX_DECORATORS):
        if view is None:
            return
        yield view
        view = getattr(view, "__wrapped__", None)
