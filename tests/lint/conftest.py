"""The same Chromium as in front of the example app."""

from __future__ import annotations

from tests.surface.conftest import browser_type_launch_args

__all__ = ["browser_type_launch_args"]
