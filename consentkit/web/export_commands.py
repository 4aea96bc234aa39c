"""``flask consent export`` and ``handle``: what an operator hands to an auditor."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from flask.cli import with_appcontext

from consentkit.service.exporting import ALL_ADMIN
from consentkit.service.exporting import Exported
from consentkit.service.exporting import export
from consentkit.web.command_errors import told
from consentkit.web.state import current_state

__all__ = ["export_log", "tell_handle"]


@click.command("export")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--disclosures",
    metavar=f"ID|{ALL_ADMIN}",
    multiple=True,
    default=(ALL_ADMIN,),
    show_default=True,
    help="Whose private facts to show: of one act, or of all acts of officials. "
    "Repeatable; what is given replaces the default.",
)
@click.option(
    "--log",
    "origin",
    metavar="ORIGIN",
    default=None,
    help="A log that was closed; left out, the one that goes on.",
)
@click.option(
    "--although-behind",
    is_flag=True,
    default=False,
    help="Also from a database that is older than what was signed.",
)
@with_appcontext
def export_log(
    *,
    folder: Path,
    disclosures: tuple[str, ...],
    origin: str | None,
    although_behind: bool,
) -> None:
    """Write the folder that an auditor needs, or bring an earlier one up to date."""
    done = told(
        lambda: _export(folder, disclosures, origin, although_behind=although_behind)
    )
    click.echo(
        f"exported: {done.size} entries, {done.files} files, {done.batches} batches, "
        f"private facts of {done.disclosures} acts"
    )
    if done.left_out:
        click.echo(
            f"{done.left_out} newer entries are not in it: not published yet, or not "
            "cosigned",
            err=True,
        )
    if done.behind:
        click.echo(
            f"WARNING: this is less than was signed, tell the auditor: {done.behind}",
            err=True,
        )


def _export(
    folder: Path,
    disclosures: tuple[str, ...],
    origin: str | None,
    *,
    although_behind: bool,
) -> Exported:
    installation = current_state().installation
    with click.progressbar(length=1, label="exporting", file=sys.stderr) as bar:

        def draw(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        return export(
            installation.of_log(origin or installation.origin),
            folder,
            disclosures=disclosures,
            although_behind=although_behind,
            progress=draw,
        )


@click.command("handle")
@click.argument("subject")
@with_appcontext
def tell_handle(*, subject: str) -> None:
    """Print the handle under which the log knows a person of the app."""
    history = current_state().installation.history
    person = told(lambda: history.person(subject))
    if person is None:
        raise click.ClickException("the log does not know anybody by that id")
    click.echo(person.handle)
