"""Whoever checks us loads none of our server, and an app nothing that few need."""

from __future__ import annotations

import subprocess
import sys

import pytest

SERVER = {"flask", "werkzeug", "jinja2", "sqlalchemy", "alembic", "marshmallow"}
# Each takes a twentieth to a fifth of our whole import.
NOT_YET = {"alembic", "consentkit.web.commands", "mako", "sqlalchemy.orm", "urllib3"}


def loaded_by(module: str) -> set[str]:
    """The modules that importing `module` loads, in a fresh interpreter."""
    report = subprocess.run(  # noqa: S603 - our own interpreter, our own module names
        [sys.executable, "-X", "importtime", "-c", f"import {module}"],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    return {line.rpartition("|")[2].strip() for line in report.splitlines()}


@pytest.mark.parametrize(
    "module",
    [
        "consentkit",
        "consentkit.audit",
        "consentkit.lint",
        "consentkit.witness.command",
        "consentkit.cli",
    ],
)
def test_an_auditors_import_loads_neither_flask_nor_sqlalchemy(module: str) -> None:
    loaded = loaded_by(module)

    assert "consentkit" in loaded
    assert loaded & SERVER == set()


def test_an_apps_import_loads_nothing_that_most_processes_never_use() -> None:
    loaded = loaded_by("consentkit.web.extension")

    assert "sqlalchemy" in loaded
    assert loaded & NOT_YET == set()
