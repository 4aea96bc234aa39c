"""The place in the host app that shares, for the line in the log."""

from __future__ import annotations

import sys

__all__ = ["caller"]


def caller() -> str:
    """Who called whoever calls this, as ``module:function``."""
    code = sys._getframe(2)  # noqa: SLF001  0 is here, 1 asks, 2 called that
    return f"{code.f_globals.get('__name__', 'unknown')}:{code.f_code.co_name}"
