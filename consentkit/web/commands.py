"""``flask consent …``: what operators do from a shell."""

from __future__ import annotations

import time
from datetime import UTC
from datetime import datetime

import click
from flask.cli import AppGroup
from flask.cli import with_appcontext

from consentkit.service.publishing import publish_all
from consentkit.service.rebuilding import differences
from consentkit.service.witnessing import ask_witnesses
from consentkit.service.witnessing import follow_witnesses
from consentkit.service.witnessing import list_witnesses
from consentkit.web.command_errors import told
from consentkit.web.state import current_state

__all__ = ["make_commands"]

_SECOND = 1.0
_DOES_NOT_HOLD = 1


def make_commands() -> AppGroup:
    """The command group; each command works on the current app's installation."""
    group = AppGroup("consent", help="Consent records: keys, publishing, checking.")
    for command in (_init, _publish, _keys, _rebuild, _witnesses):
        group.add_command(command)
    return group


@click.command("init")
@with_appcontext
def _init() -> None:
    """Create tables, keys and log, if they are not there yet."""
    installation = current_state().installation
    click.echo(f"log: {installation.origin}")
    click.echo(f"log files: {installation.log_folder}")
    for vkey in told(lambda: installation.keyring.vkeys):
        click.echo(f"key: {vkey}")


@click.command("publish")
@click.option(
    "--follow",
    is_flag=True,
    default=False,
    help="Go on, once a second, until interrupted.",
)
@with_appcontext
def _publish(*, follow: bool) -> None:
    """Number and sign what waits, write the log's files, ask the witnesses."""
    installation = current_state().installation
    told(_publish_once)
    if installation.cosigners and told(lambda: ask_witnesses(installation)) is not None:
        told(lambda: publish_all(installation))  # their lines, under the checkpoint
        _tell_witnesses()
    if follow:
        follow_witnesses(installation)
    while follow:
        time.sleep(_SECOND)
        told(_publish_once)


def _publish_once() -> None:
    size = publish_all(current_state().installation)
    if size is None:
        click.echo("another process is publishing this log", err=True)
    else:
        click.echo(f"published: {size} entries")


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


_keys = AppGroup("keys", help="The keys of the log.")


@_keys.command("list")
def _keys_list() -> None:
    """Print the verifier keys for auditors, one a line, log key first."""
    for vkey in told(lambda: current_state().installation.keyring.vkeys):
        click.echo(vkey)


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
