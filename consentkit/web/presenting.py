"""A question and what stands of it, as JSON: our pages' sentences, nothing chosen.

Whoever draws a question of their own from this shows what is in the logged notice: each
text is one of the fragment's, word for word, without its markup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from markupsafe import Markup
from markupsafe import escape

from consentkit.core.record import rfc3339
from consentkit.web.locale import mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consentkit.core.act import Millis
    from consentkit.core.notice import Offer
    from consentkit.core.status import Status
    from consentkit.web.answers import CardView
    from consentkit.web.locale import Locale
    from consentkit.web.pages import WidgetView
    from consentkit.web.questions import Fact
    from consentkit.web.questions import ItemView
    from consentkit.web.questions import NoticeView
    from consentkit.web.questions import QuestionView

__all__ = ["beside", "plain", "question_keys", "standing_answer", "wording"]

_HONOURED = mark(
    "Opt-out signal honoured: your browser says no to sharing, and that counts."
)
_EXCEPT = mark("Opt-out signal honoured, except where you said yes in spite of it.")
# HTML, "the bdi element": what it isolates, plain text isolates with these.
_ISOLATES = {
    "<bdi>": "\N{FIRST STRONG ISOLATE}",
    "</bdi>": "\N{POP DIRECTIONAL ISOLATE}",
}


def plain(text: Markup | str) -> str:
    """The text as a native control shows it."""
    html = str(escape(text))
    for tag, character in _ISOLATES.items():
        html = html.replace(tag, character)
    return Markup(html).striptags()  # noqa: S704  escaped above; the tags go


def question_keys(offer: Offer) -> dict[str, Any]:
    """What an answer to one question may hold."""
    return {
        "purpose": offer.purpose,
        "recipient": offer.recipient,
        "data": list(offer.data),
        "optional": list(offer.optional),
    }


def wording(view: NoticeView, locale: Locale) -> dict[str, Any]:
    """All that the notice says, in the order in which it says it."""
    return {
        "asker": plain(view.asker),
        "title": plain(view.title),
        "description": plain(view.description),
        "signal": _maybe(view.signal),
        "instruction": None if view.single else plain(_instruction(view, locale)),
        "reasons": _facts(view.reasons),
        "effects": _facts(view.effects),
        "questions": [_question(each, view, locale) for each in view.questions],
        "closing": _facts(view.closing),
        "save": None if view.single else plain(locale.text("Save my answers")),
    }


def beside(view: WidgetView, locale: Locale) -> dict[str, Any]:
    """What is told with the question and is no part of the notice: it is personal."""
    return {
        "account": view.account or None,
        "acting": _maybe(view.acting),
        "signal": _maybe(_signal(view, locale)),
        "ending": _maybe(view.ending),
        "changes": [plain(each) for each in view.changes],
        "whose": _maybe(view.whose),
        "ends": _maybe(view.ends),
    }


def standing_answer(card: CardView, status: Status, *, now: Millis) -> dict[str, Any]:
    """One answer as it stands at ``now``, in fields and in the words of the centre."""
    purpose, recipient = card.matter.key
    return {
        "purpose": purpose,
        "recipient": recipient,
        "recipient_name": card.matter.recipient,
        "state": status.at(now).value,
        "holds": card.group == "agreed",
        "since": rfc3339(status.since),
        "until": rfc3339(status.until) or None,
        "data": sorted(status.data),
        "assurance": status.assurance.value,
        "record_id": status.record,
        "receipt_url": card.receipt_url or None,
        "told": [
            plain(each)
            for each in (card.stands, card.lacks, card.since, card.told, card.quiet)
            if each
        ],
    }


def _signal(view: WidgetView, locale: Locale) -> Markup | None:
    if not view.opt_out_signal:
        return None
    return locale.text(_EXCEPT if view.despite_signal else _HONOURED)


def _instruction(view: NoticeView, locale: Locale) -> Markup:
    return locale.plural(
        "There is {count} question. Each is answered on its own, and none has to be.",
        "There are {count} questions. Each is answered on its own, and none has to be.",
        len(view.questions),
    )


def _question(
    question: QuestionView, view: NoticeView, locale: Locale
) -> dict[str, Any]:
    return {
        "purpose": question.purpose_id,
        "recipient": question.recipient_id,
        # Where there is one question only, the notice's title is its heading.
        "heading": None if view.single else plain(question.heading),
        "statement": plain(question.statement),
        "note": None if view.single else _maybe(question.note),
        "data_label": plain(question.data_label),
        "items": [_item(each, locale) for each in question.items],
        "facts": _facts(question.facts),
        "answers": _labels(question, view, locale),
    }


def _labels(
    question: QuestionView, view: NoticeView, locale: Locale
) -> list[dict[str, str]]:
    """The words on the controls, the no first; none of them is pressed."""
    labels = [("refused", question.decline), ("given", question.accept)]
    if view.later:
        labels.append(("deferred", locale.text("Ask me later")))
    return [{"answer": answer, "label": plain(label)} for answer, label in labels]


def _item(item: ItemView, locale: Locale) -> dict[str, Any]:
    need = locale.text("optional") if item.optional else locale.text("needed")
    return {
        "data": item.id,
        "title": plain(item.title),
        "need": plain(need),
        "note": plain(item.note),
        "box": plain(item.box) if item.optional else None,
    }


def _facts(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    return [
        {"label": plain(each.label), "lines": [plain(line) for line in each.lines]}
        for each in facts
    ]


def _maybe(text: Markup | None) -> str | None:
    return None if text is None else plain(text)
