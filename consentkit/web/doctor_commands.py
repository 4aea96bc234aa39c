"""``flask consent doctor``: what is declared against what the app's code does."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from consentkit.web.gates import examine
from consentkit.web.gates import find_gates
from consentkit.web.state import current_state

__all__ = ["doctor"]

_LACKS = 1


@click.command("doctor")
@with_appcontext
def doctor() -> None:
    """List purposes without a gate, and recipients without a call or hosts.

    Only the app's own modules that are loaded are read. Exit status: 0 nothing is
    missing, 1 something is.
    """
    gates = find_gates(Path(current_app.root_path))
    lacks = list(examine(current_state().installation.registry, gates))
    for line in lacks:
        click.echo(line)
    for gate in gates:
        if not gate.is_clear:
            click.echo(f"unclear: what {gate.place} is about is known when it runs")
    click.echo(
        f"{len(gates)} calls in the loaded modules below {current_app.root_path}, "
        f"{len(lacks)} things missing. Other code was not read, and whether a test "
        "reaches a gate was not looked at."
    )
    if lacks:
        raise SystemExit(_LACKS)
