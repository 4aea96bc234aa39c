"""One person before the questions about one purpose: what stands, and what is asked."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING

from flask import url_for
from markupsafe import Markup

from consentkit.service.comparing import answered_notices
from consentkit.service.comparing import differences
from consentkit.service.honouring import is_covered
from consentkit.service.honouring import is_despite
from consentkit.service.openings import opening_for
from consentkit.service.reminding import remind
from consentkit.web import frame
from consentkit.web.acting import account_of
from consentkit.web.acting import acting_line
from consentkit.web.acting import bar_of
from consentkit.web.acting import whose_yes
from consentkit.web.cards import cards_for
from consentkit.web.changes import change_text
from consentkit.web.errands import carried
from consentkit.web.errands import sent_from_here
from consentkit.web.gpc import is_signalled
from consentkit.web.links import check_can_confirm
from consentkit.web.narrowing import included
from consentkit.web.narrowing import yes_stands
from consentkit.web.notices import shown_notice
from consentkit.web.others import reopened
from consentkit.web.pages import WidgetView
from consentkit.web.pages import ends_today
from consentkit.web.subject import bearer

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Mapping

    from consentkit.core.notice import Notice
    from consentkit.core.purpose import Purpose
    from consentkit.core.registry import Question
    from consentkit.core.status import Status
    from consentkit.web.answers import CardView
    from consentkit.web.locale import Locale
    from consentkit.web.state import AppState

    Key = tuple[str, str]

__all__ = ["Visit", "holds_despite"]


@dataclass(frozen=True, slots=True)
class Visit:
    """One person before the questions about one purpose.

    ``standing`` is what they answered before, and ``notices`` what they were shown
    then, by question. With ``ask_again`` they came for the question. ``signal`` is
    whether their browser says no to any of it.
    """

    state: AppState
    subject: str
    locale: Locale
    questions: tuple[Question, ...]
    standing: Mapping[Key, Status]
    notices: Mapping[Key, Notice]
    ask_again: bool
    signal: bool

    @classmethod
    def of(
        cls,
        state: AppState,
        subject: str,
        locale: Locale,
        questions: tuple[Question, ...],
        *,
        ask_again: bool,
        signal: bool,
    ) -> Visit:
        """The visit of somebody to the questions about one purpose, one at least.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        found = state.installation.history.statuses(subject)
        standing = {
            each.key: found[each.key] for each in questions if each.key in found
        }
        return cls(
            state=state,
            subject=subject,
            locale=locale,
            questions=questions,
            standing=standing,
            notices=answered_notices(state.installation, subject, standing),
            ask_again=ask_again,
            signal=signal,
        )

    @property
    def purpose(self) -> Purpose:
        """What all of the questions are about."""
        return self.questions[0].purpose

    def view(self) -> WidgetView:
        """What stands and, where anything is open to them, the question beside it.

        Raises:
            LogError: the database cannot be reached, or contradicts itself.
        """
        view = self._answered()
        renewed = reopened(self.state, self.subject, self.standing)
        asked = self.questions if self.ask_again else self._open()
        reminded = self._reminded(asked)
        opened = renewed | reminded.keys()
        asked = tuple(
            each for each in self.questions if each in asked or each.key in opened
        )
        if not asked:
            return view
        barred = bar_of(self.state, self.subject, self.purpose)
        if barred or not renewed:  # where one yes waits for theirs, the card says so
            whose = whose_yes(self.state, self.subject, self.purpose, self.locale)
            view = replace(view, whose=whose)
        if barred:
            return view
        view = replace(view, ending=_ending(reminded, self.locale))
        return self._with_question(view, asked)

    def _answered(self) -> WidgetView:
        """What stands, with the way out of it."""
        state, locale = self.state, self.locale
        cards = cards_for(state, self.subject, locale, purpose_id=self.purpose.id)
        return WidgetView(
            lang=locale.code,
            dir=locale.direction,
            account=account_of(state),
            acting=acting_line(state, locale),
            cards=cards,
            stop_all_token=self._stop_all(cards),
            revoke_url=url_for("consentkit.revocations"),
            centre_url=url_for("consentkit.centre"),
            csrf_token=frame.host_csrf_token(),
            opt_out_signal=self.signal,
            despite_signal=self.signal and holds_despite(state, self.standing),
            unasked=not self.ask_again,
        )

    def _with_question(
        self, view: WidgetView, asked: tuple[Question, ...]
    ) -> WidgetView:
        """The same view, with the notice about what is asked and the form around it."""
        state, subject, locale = self.state, self.subject, self.locale
        check_can_confirm(state, asked)
        errand = self._errand()
        conflict = self.signal and any(each.covered_by_signal for each in asked)
        stands = yes_stands(state, asked, self.standing)
        notice, title_id = shown_notice(
            state, asked, locale, signal=conflict, standing=stands
        )
        opened = opening_for(state.installation, subject)
        return replace(
            view,
            title_id=title_id,
            notice_html=Markup(notice.html.decode()),  # noqa: S704  as hashed, byte for byte
            action=url_for("consentkit.choices", errand=errand),
            token=state.tokens.issue_answer(
                bearer(state, subject), notice.digest, opened
            ),
            ends=ends_today(self.questions, locale, now=state.installation.clock()),
            notice_url=url_for("consentkit.notice", digest=notice.digest),
            fingerprint=notice.digest,
            version=notice.version,
            standing=stands,
            included=included(state, asked, self.standing, locale),
            changes=self._changes(),
        )

    def _open(self) -> tuple[Question, ...]:
        """What may be asked of somebody who did not come for it (R29).

        What their browser says no to is answered (11 CCR §7025(c)(1)).
        """
        now, signal = self.state.installation.clock(), is_signalled()
        return tuple(
            each
            for each in self.questions
            if self.state.config.cooldown.reopens(
                each,
                self.standing.get(each.key),
                self.notices[each.key].offers[each.key]
                if each.key in self.notices
                else None,
                now=now,
            )
            and not (signal and each.covered_by_signal)
        )

    def _reminded(self, asked: Collection[Question]) -> dict[Key, Status]:
        """What is about to end and asked about once before it does (R90).

        Nobody is reminded for somebody else, nor of what their browser says no to.
        """
        state = self.state
        if bearer(state, self.subject) != self.subject:
            return {}
        signal, open_keys = is_signalled(), {each.key for each in asked}
        left = {
            key: status
            for key, status in self.standing.items()
            if key not in open_keys
            and not (signal and is_covered(state.installation, key))
        }
        reminded = remind(state.installation, self.subject, left)
        return {key: left[key] for key in reminded}

    def _stop_all(self, cards: tuple[CardView, ...]) -> str:
        """For what one press agreed to, one press to stop it; empty where one does."""
        if sum(bool(each.stop_token) for each in cards) <= 1:
            return ""
        holder = bearer(self.state, self.subject)
        return self.state.tokens.issue_stop(holder, self.purpose.id)

    def _errand(self) -> str | None:
        """What they want to go on to afterwards."""
        if self.ask_again:
            return carried()
        return sent_from_here(self.state, self.subject, self.purpose.id)

    def _changes(self) -> tuple[Markup, ...]:
        """What is different since they answered, a sentence each."""
        registry = self.state.installation.registry
        found = differences(self.questions, self.notices)
        return tuple(change_text(each, registry, self.locale) for each in found)


def _ending(reminded: Mapping[Key, Status], locale: Locale) -> Markup | None:
    if not reminded:
        return None
    return locale.text(
        "Your yes ends on {date}. If you do nothing, it ends by itself.",
        date=locale.date(min(each.until for each in reminded.values())),
    )


def holds_despite(state: AppState, standing: Mapping[Key, Status]) -> bool:
    """Whether a yes holds that the person gave in the face of their browser's no."""
    now = state.installation.clock()
    return any(
        status.authorises(now)
        and is_covered(state.installation, key)
        and is_despite(state.installation, status)
        for key, status in standing.items()
    )
