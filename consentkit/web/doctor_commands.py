"""``flask consent doctor``: what is declared against what the app's code does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from consentkit.web.bare import bare_views
from consentkit.web.gates import examine
from consentkit.web.gates import find_gates
from consentkit.web.gates import untested
from consentkit.web.state import current_state

__all__ = ["doctor"]

_LACKS = 1
_SEEN = Path(".pytest_cache", "v", "consentkit", "gates")
"""Where pytest keeps what ``consentkit.testing`` gave it, from its own folder on."""


@dataclass(frozen=True)
class _Run:
    """What the last run of the tests reached."""

    tests: int
    reached: frozenset[tuple[str, str]]


@click.command("doctor")
@click.option(
    "--tests",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder that pytest runs in, if it is another one.",
)
@with_appcontext
def doctor(folder: Path) -> None:
    """List purposes, recipients and routes without a gate, gates without a test.

    Only the app's own modules that are loaded are read. What tests reach is known once
    pytest ran with the option consentkit_watch: it is that of the last run. Exit
    status: 0 nothing is missing, 1 something is.
    """
    gates = find_gates(Path(current_app.root_path))
    lacks = bare_views()
    lacks += examine(current_state().installation.registry, gates)
    run = _last_run(folder)
    if run is not None:
        lacks += untested(gates, run.reached)
    for line in lacks:
        click.echo(line)
    for gate in gates:
        if not gate.is_clear:
            click.echo(f"unclear: what {gate.place} is about is known when it runs")
    click.echo(
        f"{_count(len(gates), 'call')} in the loaded modules below "
        f"{current_app.root_path}, {_count(len(lacks), 'thing')} missing. Other code "
        f"was not read. {_told(run)}"
    )
    if lacks:
        raise SystemExit(_LACKS)


def _last_run(folder: Path) -> _Run | None:
    """What tests reached; None if they did not run here, or told nothing."""
    try:
        seen = json.loads((folder / _SEEN).read_text(encoding="utf-8"))
        reached = frozenset((str(one), str(two)) for one, two in seen["reached"])
        return _Run(int(seen["tests"]), reached)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _told(run: _Run | None) -> str:
    if run is None:
        return (
            "Whether a test reaches a gate is not known: let pytest run first, with "
            "the option consentkit_watch."
        )
    return f"What tests reach is that of the last run, of {_count(run.tests, 'test')}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
