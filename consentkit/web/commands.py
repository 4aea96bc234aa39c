"""``flask consent …``: what operators do from a shell."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime

import click
from flask.cli import AppGroup
from flask.cli import with_appcontext

from consentkit.service.erasing import follow_erasures
from consentkit.service.erasing import sweep
from consentkit.service.finishing import Farewell
from consentkit.service.finishing import has_ended
from consentkit.service.publishing import accept_high_water
from consentkit.service.publishing import publish_all
from consentkit.service.publishing import publish_or_stop
from consentkit.service.rebuilding import differences
from consentkit.service.staleness import follow_heartbeat
from consentkit.service.stamping import follow_timestamps
from consentkit.service.witnessing import ask_witnesses
from consentkit.service.witnessing import follow_witnesses
from consentkit.service.witnessing import list_witnesses
from consentkit.web import following
from consentkit.web.admin_commands import ADMIN_COMMANDS
from consentkit.web.command_errors import told
from consentkit.web.delivery_commands import deliver
from consentkit.web.doctor_commands import doctor
from consentkit.web.erasure_commands import ERASURE_COMMANDS
from consentkit.web.export_commands import export_log
from consentkit.web.export_commands import tell_handle
from consentkit.web.import_commands import import_file
from consentkit.web.init_commands import init
from consentkit.web.key_commands import keys
from consentkit.web.lint_commands import lint_pages
from consentkit.web.log_commands import log
from consentkit.web.release_commands import RELEASE_COMMANDS
from consentkit.web.state import current_state
from consentkit.web.timestamp_commands import stamp_and_tell
from consentkit.web.timestamp_commands import timestamps

__all__ = ["make_commands"]

_DOES_NOT_HOLD = 1


def make_commands() -> AppGroup:
    """The command group; each command works on the current app's installation."""
    group = AppGroup("consent", help="Consent records: keys, publishing, checking.")
    for command in (init, _publish, keys, _rebuild, _witnesses, timestamps, deliver):
        group.add_command(command)
    group.add_command(export_log)
    group.add_command(tell_handle)
    group.add_command(import_file)
    group.add_command(lint_pages)
    group.add_command(doctor)
    group.add_command(log)
    for command in (*ERASURE_COMMANDS, *ADMIN_COMMANDS, *RELEASE_COMMANDS):
        group.add_command(command)
    return group


@click.command("publish")
@click.option(
    "--follow",
    is_flag=True,
    default=False,
    help="Go on, once a second, until interrupted.",
)
@click.option(
    "--accept-high-water",
    "accepts",
    is_flag=True,
    default=False,
    help="The high-water file is lost, and the database is the newest: begin it anew.",
)
@with_appcontext
def _publish(*, follow: bool, accepts: bool) -> None:
    """Number and sign what waits, write the files, ask witnesses and authority."""
    installation = current_state().installation
    if accepts:
        accepted = told(lambda: accept_high_water(installation))
        click.echo(f"high-water mark: {accepted} entries")
    if follow:
        following.follow(_begin_to_publish, _publish_on)
    else:
        _publish_and_ask()


def _begin_to_publish() -> str:
    installation = current_state().installation
    said = _publish_and_ask()
    follow_witnesses(installation)
    follow_erasures(installation)
    follow_timestamps(installation)
    follow_heartbeat(installation)
    return said


def _publish_and_ask() -> str:
    """Do all of it once; returns what was said of the log."""
    installation = current_state().installation
    line = told(_publish_once)
    click.echo(line)
    if installation.cosigners and told(lambda: ask_witnesses(installation)) is not None:
        told(lambda: publish_all(installation))  # their lines, under the checkpoint
        _tell_witnesses()
    stamp_and_tell()
    sweep(installation)
    return line


def _publish_once() -> str:
    size = publish_or_stop(current_state().installation)
    if size is None:
        return "another process is publishing this log"
    return f"published: {size} entries"


def _publish_on() -> str:
    """Publish, until the log has ended.

    Raises:
        click.ClickException: it has: whoever starts this anew publishes the next one.
    """
    line = _publish_once()
    installation = current_state().installation
    ended = has_ended(installation)
    if not ended:
        return line
    _publish_once()  # what a witness said a moment ago, under the checkpoint
    Farewell()(installation)
    raise click.ClickException(ended)


@click.command("witnesses")
@with_appcontext
def _witnesses() -> None:
    """List the witnesses: what they cosigned last, and what is wrong if anything."""
    if not current_state().installation.cosigners:
        click.echo("no witnesses: CONSENTKIT_WITNESSES is empty")
    _tell_witnesses()


def _tell_witnesses() -> None:
    for each in told(lambda: list_witnesses(current_state().installation)):
        cosigned = "nothing yet"
        if each.newest is not None:
            at = datetime.fromtimestamp(each.newest.time // 1000, UTC)
            cosigned = f"{each.newest.size} entries, {at:%Y-%m-%dT%H:%M:%SZ}"
        fault = f"; {each.standing.fault}" if each.standing.fault else ""
        click.echo(f"witness {each.cosigner.name}: cosigned {cosigned}{fault}")


@click.command("rebuild")
@click.option(
    "--check",
    is_flag=True,
    default=False,
    help="Compare only: change nothing.",
)
@with_appcontext
def _rebuild(*, check: bool) -> None:
    """Compare the state table with the replay of all leaves."""
    if not check:
        raise click.UsageError("say --check: nothing is rebuilt without a comparison")
    found = told(lambda: list(differences(current_state().installation)))
    for line in found:
        click.echo(line, err=True)
    if found:
        click.echo(f"{len(found)} differences between state and leaves", err=True)
        raise SystemExit(_DOES_NOT_HOLD)
    click.echo("the state is what the leaves say")
