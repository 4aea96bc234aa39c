"""``flask consent log …``: periods, and what has to be done about one out of turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from flask.cli import AppGroup

from consentkit.service.administering import Official
from consentkit.service.closing import close_log
from consentkit.service.leaving_out import leave_out
from consentkit.web.command_errors import told
from consentkit.web.period_commands import PERIOD_COMMANDS
from consentkit.web.state import current_state
from consentkit.web.timestamp_commands import stamp_and_tell

if TYPE_CHECKING:
    from consentkit.service.closing import Closed

__all__ = ["log"]

_UNFINISHED = 1

log = AppGroup("log", help="The logs of this app, one a period.")
for _each in PERIOD_COMMANDS:
    log.add_command(_each)


@log.command("close")
@click.option(
    "--successor",
    metavar="ORIGIN",
    required=True,
    help="The name of the log that is to follow.",
)
@click.option(
    "--reason",
    metavar="WORD",
    required=True,
    help="Why, for the log: a word such as key-compromise.",
)
@click.option("--by", required=True, help="Who answers for it: a name or an address.")
def _close(*, successor: str, reason: str, by: str) -> None:
    """End this log for good, publish all of it, and ask its witnesses.

    For a key that was stolen; at the end of a period 'open' does it all in one go.
    Nothing more is stored until the app starts anew with the successor's name. Run it
    again if it was cut short.
    """
    installation = current_state().installation
    closed = told(
        lambda: close_log(
            installation, successor=successor, reason=reason, by=Official(by, reason)
        )
    )
    if closed.size is not None:
        stamp_and_tell()
    _tell(installation.origin, closed)


@log.command("leave-out")
@click.argument("leaf_hash", metavar="HASH")
@click.option("--by", required=True, help="Who answers for it: a name or an address.")
@click.option("--reason", required=True, help="What was found out about it.")
def _leave_out(*, leaf_hash: str, by: str, reason: str) -> None:
    """Leave out for good the waiting entry HASH, which publishing stops at.

    Only one that may not be signed. Find out first who wrote it.
    """
    installation = current_state().installation
    row = told(lambda: leave_out(installation, leaf_hash, by=Official(by, reason)))
    click.echo(f"left out: {row.hash}, {row.reason}")


def _tell(origin: str, closed: Closed) -> None:
    if closed.size is None:
        click.echo("closed; another process is publishing the rest", err=True)
    else:
        click.echo(f"closed: {origin}, {closed.size} entries")
    if not closed.finished:
        click.echo(
            "not all of it is published yet, or a witness has not answered: run this "
            "again in a minute",
            err=True,
        )
        raise SystemExit(_UNFINISHED)
    click.echo(f"now set CONSENTKIT_LOG_ORIGIN = {closed.closure.successor!r}, restart")
