"""What stands now of what an act was about, for the page that an answer leads to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flask import request
from flask import url_for

from consentkit.audit.replay import act_of
from consentkit.core.pairing import lacks_its_pair
from consentkit.service.awaiting import awaiting
from consentkit.web.abroad import paired_line
from consentkit.web.acting import acting_line
from consentkit.web.errands import way_on
from consentkit.web.links import again_form
from consentkit.web.links import link_hint
from consentkit.web.narrowing import told_taken_back
from consentkit.web.others import told_halves
from consentkit.web.pages import ResultView
from consentkit.web.pages import choice_line
from consentkit.web.subject import is_delegate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping

    from consentkit.core.status import Status
    from consentkit.log.leaf import Leaf
    from consentkit.service.awaiting import Awaited
    from consentkit.web.locale import Locale
    from consentkit.web.pages import ChoiceLine
    from consentkit.web.state import AppState

    Key = tuple[str, str]

__all__ = ["result_view"]


def result_view(
    state: AppState, subject: str, locale: Locale, leaf: Leaf
) -> ResultView:
    """What stands now of what the act behind ``leaf`` was about.

    It is read back from what is stored, so that an act of long ago tells as well what
    the person has answered since.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    installation = state.installation
    standing = installation.history.statuses(subject)
    waits = awaiting(installation, subject, standing)
    asked = [each.key for each in act_of(leaf).choices if each.key in standing]
    gone = told_taken_back(state, subject, leaf, standing, locale)
    lines = tuple(
        replace(line, taken_back=gone.get(line.matter.key))
        for line in _lines(
            state, subject, locale, asked, standing=standing, waits=waits
        )
    )
    now = installation.clock()
    receipt_url = url_for("consentkit.receipt", receipt_id=leaf.id)
    return ResultView(
        lines=told_halves(state, subject, lines, standing, locale),
        receipt_url="" if is_delegate(state) else receipt_url,
        hint=link_hint(
            request.args.get("link", ""),
            locale,
            goes_on=any(standing[key].authorises(now) for key in asked),
        ),
        acting=acting_line(state, locale),
        again=again_form(state, subject, [waits[key] for key in asked if key in waits]),
        onward=way_on(state, subject, locale),
    )


def _lines(
    state: AppState,
    subject: str,
    locale: Locale,
    asked: Iterable[Key],
    *,
    standing: Mapping[Key, Status],
    waits: Mapping[Key, Awaited],
) -> Iterator[ChoiceLine]:
    installation = state.installation
    now, registry = installation.clock(), installation.registry
    of_age = installation.representations.of_age(subject)
    for key in asked:
        choice = standing[key].by_age(of_age).choice(key)
        line = choice_line(choice, key, registry, locale, awaited=waits.get(key))
        alone = lacks_its_pair(key, standing, registry, now=now)
        yield paired_line(line, locale) if alone else line
