"""``flask consent init``: tables, keys, log, and who may do what in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from flask.cli import with_appcontext

from consentkit.service.rotating import list_keys
from consentkit.store.roles import Role
from consentkit.store.roles import grant_roles
from consentkit.web.command_errors import told
from consentkit.web.state import current_state

if TYPE_CHECKING:
    from consentkit.store.roles import RoleReport

__all__ = ["init"]


@click.command("init")
@click.option(
    "--web-role",
    default=None,
    metavar="NAME",
    help="PostgreSQL: who asks, checks and shares; cannot change or delete a leaf.",
)
@click.option(
    "--publisher-role",
    default=None,
    metavar="NAME",
    help="PostgreSQL: who numbers leaves and signs checkpoints.",
)
@click.option(
    "--auditor-role",
    default=None,
    metavar="NAME",
    help="PostgreSQL: who reads the log, and never who a handle is.",
)
@with_appcontext
def init(
    web_role: str | None, publisher_role: str | None, auditor_role: str | None
) -> None:
    """Create tables, keys and log, if they are not there yet; and roles, if named.

    With roles it is for the owner of the tables. A role that is missing is made, and
    cannot log in. Run it again, with the same names, after each new version.
    """
    installation = current_state().installation
    click.echo(f"log: {installation.origin}")
    click.echo(f"log files: {installation.log_folder}")
    for each in told(lambda: list_keys(installation)):
        if each.range.signs_on:
            click.echo(f"key: {each.range.vkey}")
    given = {
        Role.WEB: web_role,
        Role.PUBLISHER: publisher_role,
        Role.AUDITOR: auditor_role,
    }
    names = {role: name for role, name in given.items() if name is not None}
    if names:
        for report in told(lambda: grant_roles(installation.database, names)):
            _tell(report)


def _tell(report: RoleReport) -> None:
    changes = [
        words
        for number, words in (
            (report.granted, f"{report.granted} rights granted"),
            (report.taken, f"{report.taken} taken back"),
        )
        if number
    ]
    made = ["made"] if report.made else []
    told_of = ", ".join(made + changes) or "nothing to change"
    click.echo(f"role {report.name} ({report.role}): {told_of}")
    if not report.logs_in:
        click.echo(
            f'  it does not log in itself: GRANT "{report.name}" TO the account '
            "that is to use it, if it does not yet"
        )
