"""``flask consent lint``: every question in every language, and pages of the app.

What is judged is what this app renders: an overriding template and the declaration's
own words count as much as ours. Nothing is asked of anybody and nothing is stored.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask import current_app
from flask import render_template
from flask import url_for
from flask.cli import with_appcontext
from markupsafe import Markup

from consentkit.web import frame
from consentkit.web.command_errors import told
from consentkit.web.locale import Locale
from consentkit.web.pages import WidgetView
from consentkit.web.pages import context
from consentkit.web.pages import ends_today
from consentkit.web.pages import notice_view
from consentkit.web.state import current_state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.lint import Findings
    from consentkit.web.state import AppState

__all__ = ["lint_pages"]

_FAILS = 1
_SHAPE = "0" * 64  # stands where a fingerprint stands
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
    registry = state.installation.registry
    with current_app.test_request_context():
        for purpose_id in registry.purposes:
            for code in registry.locales:
                name = f"question {purpose_id}, {code}"
                yield name, _page(state, purpose_id, Locale(code))


def _page(state: AppState, purpose_id: str, locale: Locale) -> str:
    """Render a question as somebody would get it who has not answered."""
    questions = state.installation.registry.questions(purpose_id)
    centre_url = url_for("consentkit.centre")
    notice = notice_view(questions, locale, centre_url=centre_url)
    html = render_template(
        "consentkit/notice.html", **context(notice, site=None, locale=locale)
    )
    view = WidgetView(
        lang=locale.code,
        dir=locale.direction,
        title_id=notice.title_id,
        notice_html=Markup(html),  # noqa: S704  our own template, autoescaped
        action=url_for("consentkit.choices"),
        ends=ends_today(questions, locale, now=state.installation.clock()),
        notice_url=url_for("consentkit.notice", digest=_SHAPE),
        fingerprint=_SHAPE,
        centre_url=centre_url,
    )
    site = frame.site(state, locale)
    return render_template(
        "consentkit/ask.html", **context(view, site=site, locale=locale)
    )


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
