"""Templates of ours that the host app replaced: judged before anybody is shown one.

Flask looks for ``consentkit/<name>.html`` among the app's own templates first. What
the app puts there may look and read as it likes; it may not be a trap, and it may not
leave out what an answer rests on. It is judged by the linter's rules for markup and by
``form_contract``, on every declared question in every language:

1. in ``init_app``, so that an app with a bad template does not start. A template that
   needs what the app adds later (a route, a variable of every page) waits for 2;
2. before the first page with one of our templates: whatever 1 has not seen;
3. before a notice is stored, if its bytes are new: whatever a template made of the
   day, the person or another file.

Where nothing is overridden the linter is not even imported. A fault that our own
template has, too, comes from the words declared: ``flask consent lint`` tells of it.
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from html.parser import HTMLParser
from itertools import islice
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
    "TEMPLATES",
    "check_at_start",
    "check_before_asking",
    "check_before_showing",
    "check_notice",
]

TEMPLATES = Path(__file__).with_name("templates")
"""The folder of our own templates."""

_NOTICE = "consentkit/notice.html"
_PAGES = frozenset(f"consentkit.{name}" for name in ("ask", "centre", "confirmation"))
_HEAD = "consentkit/head.html"
_STYLES = frozenset({"icon", "stylesheet"})
_MOST_TOLD = 12  # faults in one message; the rest shows when these are mended
_MANY = 100  # templates kept compiled while they are judged, none afterwards
_DO = (
    "Mend the template, or take it away to use ours; docs/styling.md says what a "
    "template of your own has to keep."
)
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

    Raises:
        ConfigurationError: as above.
    """
    state, environment = current_state(), current_app.jinja_env
    if state.overrides.settled:
        return
    found = _overrides(environment)
    if found != state.overrides.judged:
        _judge(state, found, rehearsal.as_sent)
        state.overrides.judged = found
    state.overrides.settled = not environment.auto_reload


def check_notice(
    questions: tuple[Question, ...], view: NoticeView, html: str, locale: Locale
) -> None:
    """Judge a notice that a template of the app's made, before it is stored.

    Raises:
        ConfigurationError: it breaks a rule, which is named.
    """
    values = context(view, site=None, locale=locale)
    pages = _in_a_form(view, html), _in_a_form(view, _render_ours(_NOTICE, values))
    _refuse([_NOTICE], view.title, _page_faults(*pages, questions, locale))


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


def _asking() -> set[str]:
    """Our templates that have a part in asking and stopping."""
    found: set[str] = set()
    waiting = list(rehearsal.PAGES)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            tree = _ours.parse(_source(_ours, name)[0])
            waiting += [each for each in meta.find_referenced_templates(tree) if each]
    return found | {_NOTICE}


def _render_ours(template: str, values: Mapping[str, Any]) -> str:
    return _ours.get_template(template).render(**values)


def _judge(state: AppState, found: Mapping[str, str], render: Renderer) -> None:
    names = sorted(_asking() & set(found))
    if names == [_HEAD] and _only_styles(_head(state, render)):
        names = []
    if not names:
        return
    for scene in rehearsal.scenes(state):
        asked = scene.questions
        pages = [rehearsal.ask_page]
        if asked[0].purpose.two_stage and not scene.again:
            pages.append(rehearsal.confirmation_page)
        for page in pages:
            theirs, ours = (page(state, scene, each) for each in (render, _render_ours))
            faults = _page_faults(theirs, ours, asked, scene.locale)
            _refuse(names, scene.name, faults)
    theirs, ours = (
        rehearsal.centre_page(state, _first(state), each)
        for each in (render, _render_ours)
    )
    _refuse(names, "the centre", _page_faults(theirs, ours, (), _first(state)))


def _first(state: AppState) -> Locale:
    return Locale(state.installation.registry.locales[0])


def _head(state: AppState, render: Renderer) -> str:
    locale = _first(state)
    return render(_HEAD, context(None, site=frame.site(state, locale), locale=locale))


def _only_styles(html: str) -> bool:
    """Whether it loads style sheets and nothing else: no rule for markup applies."""
    tags = _Tags()
    tags.feed(html)
    return tags.others == 0


class _Tags(HTMLParser):
    """Counts what is neither a style sheet nor an icon."""

    others = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count another element; a link may not fetch what could run."""
        rel = (dict(attrs).get("rel") or "").lower()
        self.others += tag != "link" or rel not in _STYLES

    def handle_data(self, data: str) -> None:
        """Count text, which would end the head."""
        self.others += bool(data.strip())


def _page_faults(
    theirs: Rehearsed, ours: Rehearsed, questions: tuple[Question, ...], locale: Locale
) -> Iterator[str]:
    """Yield what is wrong with a page and not with ours of the same words."""
    # Loaded for an override alone: no other app starts slower for it.
    from consentkit.lint import lint  # noqa: PLC0415
    from consentkit.lint.table import RULES  # noqa: PLC0415
    from consentkit.web.form_contract import page_faults  # noqa: PLC0415
    from consentkit.web.form_contract import untold  # noqa: PLC0415

    slugs = {rule.id: rule.slug for rule in RULES}
    if errors := lint(theirs.html).errors:
        known = {(each.rule, each.why) for each in lint(ours.html).errors}
        for each in errors:
            if (each.rule, each.why) not in known:
                name = f"{each.rule} {slugs[each.rule]}"
                yield f"{name}: {each.where}: {each.why}. {each.do}"
    if lacking := list(page_faults(theirs)):
        ours_too = set(page_faults(ours))
        yield from (each for each in lacking if each not in ours_too)
    yield from untold(theirs.html, ours.html, questions, locale)


def _refuse(names: Collection[str], scene: str, faults: Iterator[str]) -> None:
    """Stop if there is a fault.

    Raises:
        ConfigurationError: there is one; or none can be found without the linter.
    """
    which = ", ".join(names)
    try:
        told = list(islice(faults, _MOST_TOLD))
    except ConfigurationError as error:
        raise ConfigurationError(f"this app overrides {which}: {error}") from error
    if told:
        listed = "".join(f"\n  {each}" for each in told)
        raise ConfigurationError(
            f"this app's own {which} cannot be shown to anybody ({scene}):"
            f"{listed}\n{_DO}"
        )


def _in_a_form(view: NoticeView, html: str) -> Rehearsed:
    """The notice as the widget shows it, with nothing else around it."""
    action, token = url_for("consentkit.choices"), "token"
    page = (
        f'<section data-ck-root lang="{view.lang}"><form method="post" '
        f'action="{escape(action)}"><input type="hidden" name="token" value="{token}">'
        f"{html}</form></section>"
    )
    return Rehearsed(page, view, html, answer=(action, {"token": token}))
