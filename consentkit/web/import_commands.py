"""``flask consent import``: claims from elsewhere, taken as claims."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from typing import BinaryIO

import click
from flask.cli import with_appcontext

from consentkit.audit.plain_text import plain_json
from consentkit.service.administering import Official
from consentkit.service.importing import import_claims
from consentkit.service.importing import preview_claims
from consentkit.web.command_errors import told
from consentkit.web.state import current_state
from consentkit.web.subject import subject_key

if TYPE_CHECKING:
    from consentkit.service.importing import Imported

__all__ = ["import_file"]

_PLAINLY = (
    "Nothing that was imported opens the gate: it counts as 'asserted', and a share "
    "asks for 'session' unless the app says otherwise. Ask the people."
)


@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--by", required=True, metavar="WHO", help="Who answers for it.")
@click.option("--affiliation", default="", help="Default: the controller.")
@click.option("--reason", required=True, help="Why; stands sealed in the log.")
@click.option("--dry-run", is_flag=True, default=False, help="Count only.")
@click.option("--json", "as_json", is_flag=True, default=False, help="Report as JSON.")
@with_appcontext
def import_file(
    *,
    file: BinaryIO,
    by: str,
    affiliation: str,
    reason: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take claimed consents from FILE, one JSON object a line, as claims.

    What a person answered here stays as it is.
    """
    if not file.seekable():
        raise click.UsageError("FILE must be a file: it is checked before it is used")
    installation = current_state().installation

    def act() -> Imported:
        official = Official(by, reason, affiliation)
        if dry_run:
            return preview_claims(installation, file, subject_key=subject_key)
        with click.progressbar(length=1, label="importing", file=sys.stderr) as bar:

            def draw(done: int, total: int) -> None:
                bar.length = total
                bar.update(done - bar.pos)

            return import_claims(
                installation,
                file,
                by=official,
                subject_key=subject_key,
                progress=draw,
            )

    done = told(act)
    click.echo(plain_json(done.to_dict()) if as_json else _text(done, dry_run=dry_run))
    click.echo(_PLAINLY, err=True)


def _text(done: Imported, *, dry_run: bool) -> str:
    lines = [
        f"claims: {done.claims} about {done.persons} persons",
        f"{'would be written' if dry_run else 'written'}: {done.written}",
        f"left alone, since the question stands answered here: {done.left}",
        f"left out, since it had ended: {done.over}",
        *([f"act: {done.act}"] if done.act else []),
    ]
    return "\n".join(lines)
