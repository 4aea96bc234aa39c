"""Whoever checks us loads none of our server: not Flask, not SQL."""

from __future__ import annotations

import subprocess
import sys

import pytest

SERVER = {"flask", "werkzeug", "jinja2", "sqlalchemy", "alembic", "marshmallow"}


def loaded_by(module: str) -> set[str]:
    """The packages that importing `module` loads, in a fresh interpreter."""
    report = subprocess.run(  # noqa: S603 - our own interpreter, our own module names
        [sys.executable, "-X", "importtime", "-c", f"import {module}"],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    names = [line.rpartition("|")[2].strip() for line in report.splitlines()]
    return {name.partition(".")[0] for name in names}


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
