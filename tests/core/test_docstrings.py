"""The examples in the docstrings of the room run and show what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import consentkit.core

MODULES = [each.name for each in pkgutil.iter_modules(consentkit.core.__path__)]


def test_every_example_in_a_docstring_of_core_is_true() -> None:
    run = [
        doctest.testmod(importlib.import_module(f"consentkit.core.{name}"))
        for name in MODULES
    ]

    assert sum(result.failed for result in run) == 0
    assert sum(result.attempted for result in run) >= 9
