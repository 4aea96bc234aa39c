"""Time stamps, from a shell: having one made, and how they stand."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from typing import TYPE_CHECKING

import click
from flask.cli import with_appcontext

from consentkit.service.stamping import list_timestamps
from consentkit.service.stamping import stamp_once
from consentkit.web.command_errors import told
from consentkit.web.state import current_state

if TYPE_CHECKING:
    from consentkit.service.stamping import StampReport

__all__ = ["stamp_and_tell", "timestamps"]


@click.command("timestamps")
@with_appcontext
def timestamps() -> None:
    """List the time-stamping authorities: what each stamped last, and any gap."""
    if current_state().installation.authority is None:
        click.echo("no time stamps: CONSENTKIT_TSA_URL is empty")
    _tell()


def stamp_and_tell() -> None:
    """Have the newest checkpoint stamped if that is due, and say how things are."""
    installation = current_state().installation
    if installation.authority is not None:
        told(lambda: stamp_once(installation))
        _tell()


def _tell() -> None:
    for each in told(lambda: list_timestamps(current_state().installation)):
        click.echo(_line(each))


def _line(report: StampReport) -> str:
    stamped = "nothing yet"
    if report.newest is not None:
        at = datetime.fromtimestamp(report.newest.time // 1000, UTC)
        stamped = f"{report.newest.size} entries, {at:%Y-%m-%dT%H:%M:%SZ}"
    gap = "" if report.gap is None else f"; no stamp for {report.gap:.1f} hours"
    return f"authority {report.name}: stamped {stamped}{gap}"
