"""``flask consent log open|list|archive``: periods, one after the other."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

import click
from flask.cli import with_appcontext

from consentkit.core.record import rfc3339
from consentkit.service.administering import Official
from consentkit.service.archive_places import open_archive
from consentkit.service.archiving import archive_log
from consentkit.service.opening import PERIOD_OVER
from consentkit.service.opening import open_next
from consentkit.service.signers import parse_key_uri
from consentkit.store.periods import Periods
from consentkit.web.command_errors import told
from consentkit.web.state import current_state
from consentkit.web.timestamp_commands import stamp_and_tell

if TYPE_CHECKING:
    from consentkit.core.act import Millis
    from consentkit.service.archiving import Archived
    from consentkit.service.opening import Opened
    from consentkit.service.signers import KeySource

__all__ = ["PERIOD_COMMANDS"]

_UNFINISHED = 1
_by = click.option(
    "--by", required=True, help="Who answers for it: a name or an address."
)


@click.command("open")
@click.argument("origin")
@_by
@click.option(
    "--reason",
    metavar="WORD",
    default=PERIOD_OVER,
    show_default=True,
    help="Why the log in use ends, for the log.",
)
@click.option("--collector-key", metavar="URI", help="The new log's, if it is no file.")
@click.option("--log-key", metavar="URI", help="The new log's, if it is no file.")
@with_appcontext
def _open(
    *,
    origin: str,
    by: str,
    reason: str,
    collector_key: str | None,
    log_key: str | None,
) -> None:
    """End the log in use, and begin the next one, named ORIGIN.

    All that can be tried is tried before anything is closed. Start the app anew
    afterwards: until then it stores nothing.
    """
    installation = current_state().installation

    def begin() -> Opened:
        return open_next(
            installation,
            origin,
            by=Official(by, reason),
            collector=_source(collector_key, "--collector-key"),
            log=_source(log_key, "--log-key"),
        )

    done = told(begin)
    if done.closed is not None and done.closed.size is not None:
        click.echo(f"closed: {installation.origin}, {done.closed.size} entries")
    if not done.keys:
        click.echo(
            f"{installation.origin} is closed, but not all of it is published, or a "
            "witness has not answered: run this again in a minute",
            err=True,
        )
        raise SystemExit(_UNFINISHED)
    click.echo(f"begun: {origin}")
    for vkey in done.keys:
        click.echo(f"key: {vkey}")
    _tell_what_to_do(done)


def _tell_what_to_do(done: Opened) -> None:
    if done.closed is None:
        return  # this process goes on with it already
    config = current_state().config
    set_it = f"set CONSENTKIT_LOG_ORIGIN = {done.origin!r}"
    start = "start every process of the app anew"
    click.echo(f"now {start if config.log_origin_is_a_guess else f'{set_it}, {start}'}")
    stamp_and_tell()


def _source(uri: str | None, label: str) -> KeySource | None:
    return None if uri is None else parse_key_uri(uri, label=label)


@click.command("list")
@with_appcontext
def _list() -> None:
    """List the logs of this database, oldest first, and what became of each."""
    for each in told(lambda: Periods(current_state().installation.database).all()):
        click.echo(
            f"{each.origin}: {each.size} entries, begun {rfc3339(each.begun)}, "
            f"closed {_when(each.closed)}, archived {_when(each.archived)}, "
            f"dropped {_when(each.dropped)}"
        )


def _when(moment: Millis | None) -> str:
    return "-" if moment is None else rfc3339(moment)


@click.command("archive")
@click.argument("origins", metavar="[ORIGIN]...", nargs=-1)
@click.option(
    "--to",
    metavar="FOLDER|URL",
    required=True,
    help="A folder, or s3://…, gs://… or az://…; each log gets a folder in it.",
)
@_by
@click.option("--reason", default="archive", show_default=True, help="Why.")
@with_appcontext
def _archive(*, origins: tuple[str, ...], to: str, by: str, reason: str) -> None:
    """Copy logs that have ended to a place for good, and verify what lies there.

    Without ORIGIN those that were never archived. Run it again if it was cut short.
    """
    official = told(lambda: Official(by, reason))
    wanted = origins or told(_never_archived)
    for origin in wanted:
        done = told(partial(_copy, origin, to, official))
        click.echo(
            f"archived: {done.origin}, {done.size} entries, {done.files} files "
            f"({done.new} new), {done.place}"
        )
    if not wanted:
        click.echo("no log waits to be archived")


def _never_archived() -> tuple[str, ...]:
    periods = Periods(current_state().installation.database).all()
    return tuple(
        each.origin
        for each in periods[:-1]
        if each.archived is None and each.dropped is None
    )


def _copy(origin: str, to: str, by: Official) -> Archived:
    with click.progressbar(length=1, label="archiving", file=sys.stderr) as bar:

        def draw(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        return archive_log(
            current_state().installation,
            origin,
            open_archive(to, origin),
            by=by,
            progress=draw,
        )


PERIOD_COMMANDS = (_open, _list, _archive)
"""What ``flask consent log`` has of this topic."""
