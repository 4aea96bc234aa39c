"""``flask consent keys …``: making, listing and changing the keys of a log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask.cli import AppGroup

from consentkit.service.administering import Official
from consentkit.service.rotating import list_keys
from consentkit.service.rotating import make_key_files
from consentkit.service.rotating import retire_key
from consentkit.service.rotating import rotate_key
from consentkit.service.signers import parse_key_uri
from consentkit.store.keys import COLLECTOR
from consentkit.store.keys import LOG
from consentkit.web.command_errors import told
from consentkit.web.state import current_state

if TYPE_CHECKING:
    from consentkit.service.rotating import KeyReport
    from consentkit.store.keys import KeyRange

__all__ = ["keys"]

keys = AppGroup("keys", help="The keys of the log.")

_by = click.option(
    "--by", required=True, help="Who answers for it: a name or an address."
)
_reason = click.option("--reason", required=True, help="Why it is done.")


@keys.command("new", with_appcontext=False)
@click.option(
    "--folder",
    required=True,
    envvar="CONSENTKIT_KEY_FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="The app's CONSENTKIT_KEY_FOLDER.",
)
@click.option(
    "--successor",
    metavar="ORIGIN",
    default="",
    help="Make those of a log that follows a closed one; the secret stays.",
)
def _new(*, folder: Path, successor: str) -> None:
    """Make the keys of a new log, fit for production; the app need not start yet."""
    made = told(lambda: make_key_files(folder, successor=successor))
    for path in made:
        click.echo(f"made: {path}")
    if not made:
        click.echo(f"nothing made: {folder} holds all keys", err=True)


@keys.command("list")
def _list() -> None:
    """Print the verifier keys for auditors, one a line, log keys first.

    What each may sign goes to standard error, so that the keys can be piped.
    """
    for each in told(lambda: list_keys(current_state().installation)):
        click.echo(each.range.vkey)
        click.echo(f"  {_describe(each)}", err=True)


def _describe(report: KeyReport) -> str:
    key = report.range
    end = "on" if key.until is None else f"until {key.until}"
    use = "in use" if key.signs_on else "retired"
    place = "its private half is here" if report.is_here else "not held here"
    return f"{key.role} key, entries from {key.first} {end}; {use}; {place}"


@keys.command("rotate")
@click.argument("role", type=click.Choice([COLLECTOR, LOG]))
@_by
@_reason
@click.option(
    "--uri",
    default=None,
    help="A key that exists: a path, file:, env: or pkcs11:; else a file is made.",
)
def _rotate(*, role: str, by: str, reason: str, uri: str | None) -> None:
    """Register a new key beside the old one, from the next entry on."""

    def rotate() -> KeyRange:
        source = None if uri is None else parse_key_uri(uri, label="--uri")
        installation = current_state().installation
        return rotate_key(installation, role, by=Official(by, reason), source=source)

    new = told(rotate)
    click.echo(new.vkey)
    click.echo(
        f"  {role} key, entries from {new.first} on; restart the processes that hold "
        "the old one, then 'flask consent keys retire' it",
        err=True,
    )


@keys.command("retire")
@click.argument("name")
@_by
@_reason
def _retire(*, name: str, by: str, reason: str) -> None:
    """End a key: NAME is a collector's, as a1, or the key's id of eight hex digits."""
    installation = current_state().installation
    ended = told(lambda: retire_key(installation, name, by=Official(by, reason)))
    click.echo(ended.vkey)
    click.echo(
        f"  {ended.role} key, entries from {ended.first} until {ended.until}", err=True
    )
