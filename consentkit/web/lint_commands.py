"""``flask consent lint``: every question in every language, and pages of the app.

What is judged is what this app renders: an overriding template and the declaration's
own words count as much as ours. Nothing is asked of anybody and nothing is stored.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask import current_app
from flask.cli import with_appcontext

from consentkit.web.command_errors import told
from consentkit.web.rehearsal import as_sent
from consentkit.web.rehearsal import ask_page
from consentkit.web.rehearsal import first_scenes
from consentkit.web.state import current_state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.lint import Findings
    from consentkit.web.state import AppState

__all__ = ["lint_pages"]

_FAILS = 1
_FIRST_ERROR = 400


@click.command("lint")
@click.argument("paths", nargs=-1, metavar="[PATH]…")
@click.option("--json", "as_json", is_flag=True, default=False, help="For machines.")
@click.option(
    "--sarif",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the report as SARIF 2.1.0 there, too.",
)
@with_appcontext
def lint_pages(*, paths: tuple[str, ...], as_json: bool, sarif: Path | None) -> None:
    """Judge every question in every language, and the app's own pages at PATH.

    Exit status: 0 no error, 1 a rule is broken, or a page does not answer.
    """
    # Read when the command runs alone: no app starts slower for it.
    from consentkit.lint.catalogue import slugs  # noqa: PLC0415
    from consentkit.lint.report import format_json  # noqa: PLC0415
    from consentkit.lint.report import format_text  # noqa: PLC0415
    from consentkit.lint.sarif import format_sarif  # noqa: PLC0415

    findings = told(lambda: _judged(current_state(), paths))
    if sarif:
        page = current_app.import_name
        report = format_sarif(findings, page=page, slugs=slugs())
        sarif.write_text(f"{report}\n", "utf-8")
    click.echo(format_json(findings) if as_json else format_text(findings))
    if findings.errors:
        raise SystemExit(_FAILS)


def _judged(state: AppState, paths: tuple[str, ...]) -> Findings:
    from consentkit.lint import Findings  # noqa: PLC0415  as above
    from consentkit.lint import lint  # noqa: PLC0415  as above

    found = Findings((), questions=0, rules_checked=())
    for name, html in (*_questions(state), *map(_own_page, paths)):
        found = found.joined(lint(html).at(name))
    return found


def _questions(state: AppState) -> Iterator[tuple[str, str]]:
    """Yield each question's page in each language, named by both."""
    with current_app.test_request_context():
        for scene in first_scenes(state):
            yield scene.name, ask_page(state, scene, as_sent).html


def _own_page(path: str) -> tuple[str, str]:
    """Open a page of the app, as somebody who is not signed in.

    Raises:
        click.ClickException: the app refuses it.
    """
    answer = current_app.test_client().get(path)
    if answer.status_code >= _FIRST_ERROR:
        message = f"expected a page at {path!r}, got status {answer.status_code}"
        raise click.ClickException(message)
    return path, answer.get_data(as_text=True)
