"""Forgetting and holding, from a shell: one person, or all that is older than its time.

The id of a person is an argument here: a shell may keep it in its history.
"""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from typing import TYPE_CHECKING

import click
from flask.cli import with_appcontext

from consentkit.audit.plain_text import plain_json
from consentkit.core.period import millis_of
from consentkit.core.record import rfc3339
from consentkit.service.administering import Official
from consentkit.service.clock_ahead import check_clock
from consentkit.service.dropping import drop_periods
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.erasing import sweep
from consentkit.service.holding import list_holds
from consentkit.service.holding import open_hold
from consentkit.service.holding import release_hold
from consentkit.service.purging import purge
from consentkit.web.command_errors import told
from consentkit.web.state import current_state
from consentkit.web.subject import subject_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from consentkit.core.act import Millis
    from consentkit.service.installation import Installation
    from consentkit.service.purging import Purge

__all__ = ["ERASURE_COMMANDS"]

_UNFINISHED = 1
_DAY = click.DateTime(["%Y-%m-%d"])


def _answered_for(command: Callable[..., Any]) -> Callable[..., Any]:
    """Ask who answers for it and why."""
    for option in (
        click.option("--by", required=True, metavar="WHO", help="Who answers for it."),
        click.option("--reason", required=True, help="Why; stands sealed in the log."),
    ):
        command = option(command)
    return command


@click.command("erase")
@click.argument("subject")
@click.option("--by", required=True, metavar="WHO", help="Who answers for it.")
@click.option(
    "--reason",
    required=True,
    metavar="WORD",
    help="A word such as request; it stands in the log for ever.",
)
@click.option(
    "--hold-until",
    type=_DAY,
    help="Keep the sealed evidence until this day (UTC), for claims.",
)
@with_appcontext
def _erase(subject: str, by: str, reason: str, hold_until: datetime | None) -> None:
    """Forget the person with this id; run it again to finish one that was cut short."""
    done = told(
        lambda: erase(
            _installation(),
            Erasing(
                subject=subject_key(subject),
                reason=reason,
                by=Official(by, reason),
                hold_until=_start_of(hold_until),
            ),
        )
    )
    if done.leaf is None:
        click.echo("nobody is known under this id: nothing was written")
    else:
        click.echo(f"erased: {done.leaf.subject}")
        click.echo(f"leaf: {done.leaf.id}")
    _finish(swept=done.swept)


@click.command("purge")
@click.option(
    "--before",
    type=_DAY,
    metavar="YYYY-MM-DD",
    help="What is older than this day (UTC) goes; else than CONSENTKIT_RETENTION.",
)
@click.option(
    "--without-archive",
    is_flag=True,
    help="Drop logs that are in no archive, too: nothing is left of them.",
)
@_answered_for
@with_appcontext
def _purge(
    before: datetime | None, by: str, reason: str, *, without_archive: bool
) -> None:
    """Take out what is older than the claim period; leave a tombstone.

    Logs that ended before that go as a whole, if they were archived.
    """
    official = told(lambda: Official(by, reason))
    day = _start_of(before)
    told(lambda: check_clock(_installation(), before=day))
    done = told(lambda: purge(_installation(), by=official, before=day))
    _tell_purge(done)
    logs = told(
        lambda: drop_periods(
            _installation(),
            by=official,
            before=done.cutoff,
            without_archive=without_archive,
        )
    )
    for each in logs.dropped:
        click.echo(f"dropped: {each.origin}, {each.size} entries")
        click.echo(f"leaf: {each.leaf.id}")
    if done.leaf is None and not logs.dropped:
        click.echo("nothing was old enough: nothing was written")
    if logs.kept:
        click.echo(f"kept: {logs.kept}: {logs.reason}", err=True)
    _finish(swept=logs.swept)


def _tell_purge(done: Purge) -> None:
    click.echo(f"before: {rfc3339(done.cutoff)}")
    for name in ("persons", "disclosures", "batches", "evidence", "holds"):
        click.echo(f"{name}: {getattr(done, name)}")
    if done.leaf is not None:
        click.echo(f"leaf: {done.leaf.id}")


@click.command("sweep")
@with_appcontext
def _sweep() -> None:
    """Rewrite what may still hold bytes of what was erased, if anything may."""
    if told(_installation().erasures.residue) is None:
        click.echo("nothing is left over")
        return
    told(_installation().erasures.check_may_rewrite)
    swept = sweep(_installation())
    if swept:
        click.echo("swept")
    _finish(swept=swept)


@click.command("holds")
@with_appcontext
def _holds() -> None:
    """List the evidence that is held: whose handle, why, since when, until when."""
    for each in told(lambda: list_holds(_installation())):
        since, until = rfc3339(each.since), rfc3339(each.until)
        click.echo(f"{each.handle} {each.reason} since {since} until {until}")


@click.command("hold-open")
@click.argument("handle")
@_answered_for
@with_appcontext
def _hold_open(handle: str, by: str, reason: str) -> None:
    """Print the held evidence of one handle; that it was opened stands in the log."""
    opened = told(lambda: open_hold(_installation(), handle, by=Official(by, reason)))
    for act, facts in opened.items():
        click.echo(plain_json({"record": act, "facts": facts}))


@click.command("hold-release")
@click.argument("handle")
@_answered_for
@with_appcontext
def _hold_release(handle: str, by: str, reason: str) -> None:
    """Shred held evidence before its day: the claim is settled."""
    leaf, swept = told(
        lambda: release_hold(_installation(), handle, by=Official(by, reason))
    )
    click.echo(f"released: {handle}")
    click.echo(f"leaf: {leaf.id}")
    _finish(swept=swept)


ERASURE_COMMANDS = (_erase, _purge, _sweep, _holds, _hold_open, _hold_release)
"""What ``flask consent`` has of this topic."""


def _installation() -> Installation:
    return current_state().installation


def _start_of(day: datetime | None) -> Millis | None:
    return None if day is None else millis_of(day.replace(tzinfo=UTC))


def _finish(*, swept: bool) -> None:
    """Say so where bytes of it may still be in the file.

    Raises:
        SystemExit: they may, and the same command can do better.
    """
    if swept:
        return
    if told(_installation().erasures.left_to):
        click.echo(
            "it is gone from every table; the bytes that are left are swept by "
            "'flask consent sweep', as the owner of the tables",
            err=True,
        )
        return
    click.echo(
        "it is gone from every table, but the file may still hold bytes of it: the "
        "database is in use, or the disk is full. Run the same command again, or "
        "'flask consent sweep'.",
        err=True,
    )
    raise SystemExit(_UNFINISHED)
