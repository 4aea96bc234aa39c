"""What an app's own templates made of a page, judged once more before it is sent.

At the start a template is judged on invented people; a condition in it can tell those
from real ones. So where a part of a page that asks or stops is the app's, the page
that this person would get is held against the same rules. That is some 30 ms of work
for a page with a question, nothing where nothing is overridden; nothing of it is kept,
for it is about one request.

A page that breaks a rule is never sent. While an app is built, in debug mode or under
test, it fails with the rule's name. In production the person gets our own page with
the same words and tokens, for they must be able to say no, and to stop what they
agreed to; the app's log names the rule.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

from flask import current_app
from jinja2 import ChoiceLoader
from jinja2 import DictLoader
from jinja2 import FileSystemLoader

from consentkit.errors import ConfigurationError
from consentkit.web.judging import first_of
from consentkit.web.judging import only_styles
from consentkit.web.judging import page_faults
from consentkit.web.judging import refusal
from consentkit.web.overriding import HEAD
from consentkit.web.overriding import TEMPLATES
from consentkit.web.overriding import check_before_showing
from consentkit.web.overriding import is_being_built
from consentkit.web.overriding import parts_of
from consentkit.web.pages import CentreView
from consentkit.web.pages import ConfirmationView
from consentkit.web.pages import WidgetView
from consentkit.web.rehearsal import Rehearsed
from consentkit.web.rehearsal import stops_of
from consentkit.web.state import current_state

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["honest"]

_LOGGER = logging.getLogger("consentkit")
_ASKING = (WidgetView, CentreView, ConfirmationView)
_HEAD_HERE = "<!-- consentkit: the head of the app -->"
_AS_THEY_ARE: Mapping[str, str] = {}


def honest(template: str, values: Mapping[str, Any], html: str) -> str:
    """The page that may be sent: this one, or ours where this one breaks a rule.

    Raises:
        ConfigurationError: it breaks one, or cannot be judged, and the app is being
            built: it is in debug mode or under test.
    """
    if not isinstance(values["page"], _ASKING):
        return html
    check_before_showing()
    names = sorted(parts_of(template) & current_state().overrides.judged.keys())
    if not names or (names == [HEAD] and _has_our_body(template, values, html)):
        return html
    ours = _rendered_by_us(template, values)
    told = _told(names, _faults(values, html, ours))
    if not told:
        return html
    if is_being_built():
        raise refusal(names, template, told)
    # Only which rules: where and why could hold words that are about the person.
    rules = "; ".join(dict.fromkeys(each.partition(": ")[0] for each in told))
    _LOGGER.error(
        "consentkit: this app's own %s made a page that breaks a rule (%s); "
        "consentkit's own was sent instead",
        ", ".join(names),
        rules,
        extra={"event": "page-replaced", "rules": rules},
    )
    return ours


def _told(names: list[str], faults: Iterator[str]) -> list[str]:
    try:
        return first_of(names, faults)
    except ConfigurationError as error:  # the linter is gone since the start
        return [str(error)]


def _faults(values: Mapping[str, Any], html: str, ours: str) -> Iterator[str]:
    page = values["page"]
    asked = () if isinstance(page, CentreView) else _all_questions()
    return page_faults(
        _expected(page, html), _expected(page, ours), asked, values["locale"]
    )


def _all_questions() -> tuple[Any, ...]:
    return tuple(current_state().installation.registry.all_questions())


def _expected(page: Any, html: str) -> Rehearsed:
    """A page as it was rendered, with the forms that its view asks for."""
    host = {"csrf_token": page.csrf_token} if page.csrf_token else {}
    if isinstance(page, CentreView):
        cards = [card for group in page.groups for card in group.cards]
        return Rehearsed(html, stops=stops_of(cards, page.revoke_url, host))
    if isinstance(page, ConfirmationView):
        answer = page.action, {"token": page.token, **host}
        return Rehearsed(html, notice=page.asked, answer=answer)
    answer = page.action, {"token": page.token, **host}
    return Rehearsed(
        html,
        fragment=str(page.notice_html or ""),
        answer=answer if page.notice_html else None,
        stops=stops_of(page.cards, page.revoke_url, host),
    )


def _has_our_body(template: str, values: Mapping[str, Any], html: str) -> bool:
    """Whether nothing but style sheets of the app's own stands in place of our head."""
    bare = _rendered_by_us(template, values, {HEAD: _HEAD_HERE})
    before, _, after = bare.partition(_HEAD_HERE)
    if not after or not (html.startswith(before) and html.endswith(after)):
        return html == bare
    return only_styles(html[len(before) : -len(after)])


def _rendered_by_us(
    template: str, values: Mapping[str, Any], but: Mapping[str, str] = _AS_THEY_ARE
) -> str:
    """The page from our own templates, in the app's own dialect of Jinja."""
    ours = current_state().overrides.ours
    key = "".join(but)
    if key not in ours:
        loader = ChoiceLoader([DictLoader(but), FileSystemLoader(TEMPLATES)])
        ours[key] = current_app.jinja_env.overlay(loader=loader)
    return ours[key].get_template(template).render(**values)
