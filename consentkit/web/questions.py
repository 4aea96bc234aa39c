"""A question as its template sees it: all words chosen, nothing left to decide.

What is built here becomes the notice fragment, whose bytes are hashed and kept. So it
holds nothing of the person, of the day or of the form: the same registry, locale and
address of the centre always give the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup
from markupsafe import escape

from consentkit.web import wording
from consentkit.web.locale import mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consentkit.core.purpose import Purpose
    from consentkit.core.registry import Question
    from consentkit.core.vocabulary import DataItem
    from consentkit.web.locale import Locale

__all__ = ["Fact", "ItemView", "NoticeView", "QuestionView", "notice_view"]


_CONFLICT = mark(
    "Your browser tells us not to share your data, and we do not. "
    "If you say yes to sharing here, your yes counts in spite of it."
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One labelled answer of a notice, such as who gets the data.

    ``essential`` is the ``data-ck-essential`` mark for the linter, or empty.
    """

    label: Markup
    lines: tuple[Markup, ...]
    essential: str = ""


@dataclass(frozen=True, slots=True)
class ItemView:
    """One data category: needed, or optional with an empty box of its own."""

    id: str
    title: str
    optional: bool
    note: Markup
    box: Markup


@dataclass(frozen=True, slots=True)
class QuestionView:
    """One question: what is agreed to, the facts, and the words on its controls.

    ``choice_name`` and ``data_name`` are the form's control names; ``element`` begins
    every element id of this question.
    """

    purpose_id: str
    recipient_id: str
    heading: Markup
    purpose: str
    statement: Markup
    data_label: Markup
    items: tuple[ItemView, ...]
    facts: tuple[Fact, ...]
    note: Markup | None
    decline: Markup
    accept: Markup

    @property
    def key(self) -> str:
        """``<purpose>.<recipient>``, as control names spell it."""
        return f"{self.purpose_id}.{self.recipient_id}"

    @property
    def choice_name(self) -> str:
        """Name of the control that holds the answer."""
        return f"choice.{self.key}"

    @property
    def data_name(self) -> str:
        """Name of the boxes for optional data."""
        return f"data.{self.key}"

    @property
    def element(self) -> str:
        """Prefix of element ids."""
        return f"consentkit-{self.key}"


@dataclass(frozen=True, slots=True)
class NoticeView:
    """All questions of one purpose, as one fragment (``notice.html``)."""

    lang: str
    dir: str
    element: str
    asker: Markup
    title: str
    description: str
    questions: tuple[QuestionView, ...]
    reasons: tuple[Fact, ...]
    effects: tuple[Fact, ...]
    closing: tuple[Fact, ...]
    signal: Markup | None = None
    standing: bool = False

    @property
    def title_id(self) -> str:
        """Id of the heading element, for ``aria-labelledby`` round the fragment."""
        return f"{self.element}-title"

    @property
    def single(self) -> bool:
        """Whether it is answered by buttons; several questions have radios."""
        return len(self.questions) == 1

    @property
    def later(self) -> bool:
        """Whether it can be put off: of several each can be left open anyway."""
        return self.single and not self.standing

    @property
    def controls(self) -> tuple[str, ...]:
        """The name of every control in the fragment, for the notice manifest."""
        return tuple(
            name
            for each in self.questions
            for name in (
                each.choice_name,
                *([each.data_name] if any(i.optional for i in each.items) else []),
            )
        )


def notice_view(
    questions: Sequence[Question],
    locale: Locale,
    *,
    centre_url: str,
    signal: bool = False,
    standing: bool = False,
) -> NoticeView:
    """The notice that asks ``questions``, which all belong to one purpose.

    With ``signal`` it tells of the conflict with the browser's opt-out signal. With
    ``standing`` it is for those whose yes stands: no "later", which would end it.
    """
    purpose, controller = questions[0].purpose, questions[0].controller
    return NoticeView(
        lang=locale.code,
        dir=locale.direction,
        element=f"consentkit-{purpose.id}",
        asker=locale.text(
            "*{controller}* asks you. Contact: {contact}",
            controller=controller.name,
            contact=wording.contact_link(controller.contact),
        ),
        title=locale.localise(purpose.title),
        description=locale.localise(purpose.description),
        questions=tuple(_question_view(each, locale) for each in questions),
        reasons=_fact(
            locale.text("Why it is needed"), locale.localise(purpose.necessity)
        ),
        effects=_effects(purpose, locale),
        closing=_closing(questions[0], locale, centre_url=centre_url),
        signal=locale.text(_CONFLICT) if signal else None,
        standing=standing,
    )


def _question_view(question: Question, locale: Locale) -> QuestionView:
    return QuestionView(
        purpose_id=question.purpose_id,
        recipient_id=question.recipient_id,
        heading=wording.heading(question, locale),
        purpose=locale.localise(question.purpose.title),
        statement=wording.statement(question, locale),
        data_label=wording.data_label(question, locale),
        items=tuple(_item_view(question, item, locale) for item in question.items),
        facts=_question_facts(question, locale),
        note=_transfer_note(question, locale),
        decline=wording.decline_label(question, locale),
        accept=wording.accept_label(question, locale),
    )


def _item_view(question: Question, item: DataItem, locale: Locale) -> ItemView:
    protection = ""
    if item.category.special:
        protection = locale.plain("Sensitive data, specially protected by law.")
    elif item.category.sensitive:
        protection = locale.plain("Sensitive data.")
    return ItemView(
        id=item.category.id,
        title=locale.localise(item.category.title),
        optional=not item.necessary,
        note=locale.sentences(protection, wording.item_note(item, locale)),
        box=wording.also_label(question, item, locale),
    )


def _transfer_note(question: Question, locale: Locale) -> Markup | None:
    if not question.transfer:
        return None
    return locale.text(
        "{recipient} is abroad, so this is a question of its own. "
        "Data is sent only if you say yes to both.",
        recipient=question.recipient.name,
    )


def _question_facts(question: Question, locale: Locale) -> tuple[Fact, ...]:
    """What differs from recipient to recipient."""
    recipient, purpose = question.recipient, question.purpose
    method = locale.localise(recipient.method) or locale.localise(purpose.method)
    kept = wording.keeping(question, locale)
    times = (wording.lasting(purpose, locale), *([kept] if kept else []))
    return (
        *([] if question.own_use else [_party(question, locale)]),
        *_fact(locale.text("How it gets there"), "" if question.own_use else method),
        *(_abroad(question, locale) if question.transfer else []),
        Fact(locale.text("For how long"), times),
    )


def _party(question: Question, locale: Locale) -> Fact:
    return Fact(
        locale.text("Who gets it"), wording.party(question, locale), "recipient"
    )


def _abroad(question: Question, locale: Locale) -> tuple[Fact, ...]:
    """What a transfer to another country has to say besides (PIPL Art. 39)."""
    recipient = question.recipient
    rights = recipient.rights_url
    return (
        *_fact(
            locale.text("What protects it there"), locale.localise(recipient.safeguard)
        ),
        *_fact(locale.text("Risks there"), locale.localise(recipient.risks)),
        *_fact(
            locale.text("Your rights there"),
            wording.contact_link(rights) if rights else "",
        ),
    )


def _effects(purpose: Purpose, locale: Locale) -> tuple[Fact, ...]:
    """What it can mean for the person, and how to get a human (GDPR Art. 13(2)(f))."""
    impact = locale.localise(purpose.impact)
    automated = purpose.automated
    decided = (
        ()
        if automated is None
        else (
            locale.localise(automated.logic),
            locale.localise(automated.consequence),
            locale.localise(automated.human),
        )
    )
    return (
        *_fact(locale.text("What it can mean for you"), impact),
        *_fact(locale.text("A computer decides"), *decided),
    )


def _closing(
    question: Question, locale: Locale, *, centre_url: str
) -> tuple[Fact, ...]:
    """What a person has to know before either button: the no, the way back, rights."""
    controller = question.controller
    refused = locale.localise(question.purpose.if_refused)
    authority = locale.localise(controller.authority)
    return (
        *(_confirming(locale) if question.purpose.two_stage else ()),
        *_fact(
            locale.text("If you say no"),
            refused or locale.text("Nothing changes in your account."),
        ),
        Fact(
            locale.text("How to stop"),
            (wording.stopping(locale, centre_url=centre_url),),
            "withdraw",
        ),
        *_fact(
            locale.text("Your rights"),
            locale.localise(controller.rights),
            locale.text("You can complain to {authority}.", authority=authority)
            if authority
            else "",
        ),
    )


def _confirming(locale: Locale) -> tuple[Fact, ...]:
    """That a yes has two stages, told before it is given."""
    return _fact(
        locale.text("If you say yes"),
        locale.text(
            "We send you a message with a link. "
            "Your yes counts only once you open it and confirm."
        ),
    )


def _fact(label: Markup, *texts: str) -> tuple[Fact, ...]:
    """The fact, if there is anything to say."""
    lines = tuple(escape(text) for text in texts if text)
    return (Fact(label, lines),) if lines else ()
