"""Templates of ours that the host app replaced: judged before anybody is shown one.

Flask looks for ``consentkit/<name>.html`` among the app's own templates first. What
the app puts there may look and read as it likes; it may not be a trap, and it may not
leave out what an answer rests on. It is judged (``judging``) on every declared question
in every language:

1. in ``init_app``, so that an app with a bad template does not start. A template that
   needs what the app adds later (a route, a variable of every page) waits for 2;
2. before the first page with one of our templates: whatever 1 has not seen;
3. before a notice is stored, if its bytes are new: whatever a template made of the
   day, the person or another file;
4. as a page is sent (``sending``): what a condition made of this very request.

Where nothing is overridden the linter is not even imported. A fault that our own
template has, too, comes from the words declared: ``flask consent lint`` tells of it.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from flask import current_app
from flask import request
from flask import url_for
from jinja2 import Environment
from jinja2 import FileSystemLoader
from jinja2 import StrictUndefined
from jinja2 import TemplateNotFound
from jinja2 import meta
from markupsafe import escape

from consentkit.errors import ConfigurationError
from consentkit.web import frame
from consentkit.web import rehearsal
from consentkit.web.judging import only_styles
from consentkit.web.judging import page_faults
from consentkit.web.judging import refuse
from consentkit.web.locale import Locale
from consentkit.web.pages import context
from consentkit.web.rehearsal import Rehearsed
from consentkit.web.state import current_state

if TYPE_CHECKING:
    from flask import Flask

    from consentkit.core.registry import Question
    from consentkit.web.questions import NoticeView
    from consentkit.web.rehearsal import Renderer
    from consentkit.web.state import AppState

__all__ = [
    "HEAD",
    "TEMPLATES",
    "check_at_start",
    "check_before_asking",
    "check_before_showing",
    "check_notice",
    "is_being_built",
    "parts_of",
    "render_ours",
]

TEMPLATES = Path(__file__).with_name("templates")
"""The folder of our own templates."""

HEAD = "consentkit/head.html"
"""What loads the style sheets of a whole page."""

_LOGGER = logging.getLogger("consentkit")
_NOTICE = "consentkit/notice.html"
_PAGES = frozenset(f"consentkit.{name}" for name in ("ask", "centre", "confirmation"))
_MANY = 100  # templates kept compiled while they are judged, none afterwards
_ours = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)


def check_at_start(app: Flask) -> None:
    """Judge what the app overrides now, as far as it can be rendered yet.

    Raises:
        ConfigurationError: an override breaks a rule, which is named; or it cannot be
            judged, because the linter is not installed.
    """
    state: AppState = app.extensions["consentkit"]
    found = _overrides(app.jinja_env)
    if not found:
        return
    # A name that the app adds to its templates later must not pass for an empty one.
    strict = app.jinja_env.overlay(undefined=StrictUndefined, cache_size=_MANY)

    def render(template: str, values: Mapping[str, Any]) -> str:
        return strict.get_template(template).render(**values)

    with app.test_request_context():
        try:
            _judge(state, found, render)
        except ConfigurationError:
            raise
        except Exception:  # noqa: BLE001  any code of the host's runs in its template
            return
    state.overrides.judged = found


def check_before_asking() -> None:
    """Judge before a request for a page that asks or stops."""
    if request.endpoint in _PAGES:
        check_before_showing()


def check_before_showing() -> None:
    """Judge what came after the start; once, or at each change while templates reload.

    In production nobody is left without a page for it: the app's log tells, and each
    page is judged as it is sent.

    Raises:
        ConfigurationError: as above, while the app is being built.
    """
    state, environment = current_state(), current_app.jinja_env
    if state.overrides.settled:
        return
    found = _overrides(environment)
    if found != state.overrides.judged:
        try:
            _judge(state, found, rehearsal.as_sent)
        except ConfigurationError as error:
            if is_being_built():
                raise
            _LOGGER.error("consentkit: %s", error, extra={"event": "template-refused"})  # noqa: TRY400  it says it all
        state.overrides.judged = found
    state.overrides.settled = not environment.auto_reload


def is_being_built() -> bool:
    """Whether a developer is looking, who is helped by a page that fails."""
    return current_app.debug or current_app.testing


def check_notice(
    questions: tuple[Question, ...], view: NoticeView, html: str, locale: Locale
) -> None:
    """Judge a notice that a template of the app's made, before it is stored.

    Raises:
        ConfigurationError: it breaks a rule, which is named.
    """
    values = context(view, site=None, locale=locale)
    pages = _in_a_form(view, html), _in_a_form(view, render_ours(_NOTICE, values))
    refuse([_NOTICE], view.title, page_faults(*pages, questions, locale))


def _overrides(environment: Environment) -> dict[str, str]:
    """The source of each template of ours that the app has in its own words."""
    found = {}
    for path in TEMPLATES.rglob("*.html"):
        name = path.relative_to(TEMPLATES).as_posix()
        source, filename = _source(environment, name)
        if filename != str(path) and source != path.read_text("utf-8"):
            found[name] = source
    return found


def _source(environment: Environment, name: str) -> tuple[str, str | None]:
    if environment.loader is None:
        raise TemplateNotFound(name)
    source, filename, _ = environment.loader.get_source(environment, name)
    return source, filename


@functools.cache
def parts_of(*pages: str) -> frozenset[str]:
    """These templates of ours with all that they are made of, by name."""
    found: set[str] = set()
    waiting = list(pages)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            tree = _ours.parse(_source(_ours, name)[0])
            waiting += [each for each in meta.find_referenced_templates(tree) if each]
    return frozenset(found)


def render_ours(template: str, values: Mapping[str, Any]) -> str:
    """Render our own template, whatever the app has in its place."""
    return _ours.get_template(template).render(**values)


def _judge(state: AppState, found: Mapping[str, str], render: Renderer) -> None:
    # The templates that have a part in asking and stopping.
    names = sorted(parts_of(*rehearsal.PAGES, _NOTICE) & set(found))
    if names == [HEAD] and only_styles(_head(state, render)):
        names = []
    if not names:
        return
    for scene in rehearsal.scenes(state):
        asked = scene.questions
        pages = [rehearsal.ask_page]
        if asked[0].purpose.two_stage and not scene.again:
            pages.append(rehearsal.confirmation_page)
        for page in pages:
            theirs, ours = (page(state, scene, each) for each in (render, render_ours))
            faults = page_faults(theirs, ours, asked, scene.locale)
            refuse(names, scene.name, faults)
    theirs, ours = (
        rehearsal.centre_page(state, _first(state), each)
        for each in (render, render_ours)
    )
    refuse(names, "the centre", page_faults(theirs, ours, (), _first(state)))


def _first(state: AppState) -> Locale:
    return Locale(state.installation.registry.locales[0])


def _head(state: AppState, render: Renderer) -> str:
    locale = _first(state)
    return render(HEAD, context(None, site=frame.site(state, locale), locale=locale))


def _in_a_form(view: NoticeView, html: str) -> Rehearsed:
    """The notice as the widget shows it, with nothing else around it."""
    action, token = url_for("consentkit.choices"), "token"
    page = (
        f'<section data-ck-root lang="{view.lang}"><form method="post" '
        f'action="{escape(action)}"><input type="hidden" name="token" value="{token}">'
        f"{html}</form></section>"
    )
    return Rehearsed(page, view, html, answer=(action, {"token": token}))
