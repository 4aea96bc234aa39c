"""What a page has to carry so that it can be answered, and tells what was declared.

The linter judges whether a question is fair; this judges whether it is whole: each
question with both answers, nothing that is no answer, the token, the words declared.
It goes by what a browser would send (HTML, "constructing the entry list").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.lint.passages import visible_text
from consentkit.lint.tree import parse

if TYPE_CHECKING:
    from collections.abc import Generator
    from collections.abc import Iterator
    from collections.abc import Mapping

    from consentkit.core.registry import Question
    from consentkit.lint.tree import Element
    from consentkit.web.locale import Locale
    from consentkit.web.questions import NoticeView
    from consentkit.web.rehearsal import Rehearsed

__all__ = ["answer_faults", "page_faults", "untold"]

_BOOKKEEPING = frozenset({"token", "csrf_token"})
_CONTROLS = ("input", "button", "select", "textarea")
_CHOOSING = frozenset({"radio", "submit"})
_MARKS = {"given": "accept", "refused": "decline"}


def page_faults(page: Rehearsed) -> Iterator[str]:
    """Yield what a page lacks so that its answers and its stops reach us."""
    document = parse(page.html)
    if page.answer and page.notice:
        if page.fragment not in page.html:
            yield (
                "the notice does not stand on the page byte for byte: what is shown "
                "has to be what is logged"
            )
        if not any(each.has("data-ck-root") for each in document.elements()):
            yield "nothing is marked data-ck-root"
        form = yield from _form(document, *page.answer)
        if form is not None:
            yield from answer_faults(form, page.notice)
    for stop in page.stops:
        form = yield from _form(document, *stop)
        if form is not None and not any(_kind(e) == "submit" for e in _controls(form)):
            yield "a form that stops an answer has no button"


def answer_faults(form: Element, notice: NoticeView) -> Iterator[str]:
    """Yield which controls a question's form lacks, and which it has too many."""
    wanted = set(_wanted(notice))
    sent = {(e.get("name"), _value(e)) for e in _controls(form) if e.get("name")}
    fitting = {
        (e.get("name"), _value(e)) for e in _controls(form) if _fits(e) and _marked(e)
    }
    for name, value in sorted(wanted - fitting):
        mark = _MARKS.get(value)
        marked = f' marked data-ck-action="{mark}"' if mark else ""
        yield f"no control{marked} sends {name}={value}"
    allowed = wanted | {(each.choice_name, "deferred") for each in notice.questions}
    for name, value in sorted(sent - allowed):
        if name not in _BOOKKEEPING:
            yield f"a control sends {name}={value}, which answers no question"
    if not any(_kind(e) == "submit" for e in _controls(form)):
        yield "no button sends the answers"


def untold(
    theirs: str, ours: str, questions: tuple[Question, ...], locale: Locale
) -> Iterator[str]:
    """Yield the declared texts that our own page tells and this one does not (R1)."""
    told, model = (visible_text(parse(html)) for html in (theirs, ours))
    texts = {text for each in questions for text in _declared(each, locale)}
    for text in sorted(texts):
        words = " ".join(text.split())
        if words and words in model and words not in told:
            yield f"it leaves out what is declared: “{words[:60]}”"


def _wanted(notice: NoticeView) -> Iterator[tuple[str, str]]:
    for question in notice.questions:
        yield question.choice_name, "refused"
        yield question.choice_name, "given"
        for item in question.items:
            if item.optional:
                yield question.data_name, item.id


def _form(
    document: Element, action: str, hidden: Mapping[str, str]
) -> Generator[str, None, Element | None]:
    """Return the form that sends the token; yield what is wrong with how it does."""
    token = hidden["token"]
    form = next((f for f in document.find("form") if _holds(f, "token", token)), None)
    if form is None:
        yield f"no form sends its token to {action}"
        return None
    if form.get("action") != action or form.get("method").lower() != "post":
        yield f'the form with the token is not method="post" action="{action}"'
    for name, value in hidden.items():
        if not _holds(form, name, value):
            yield f"the form to {action} does not send {name}"
    return form


def _holds(form: Element, name: str, value: str) -> bool:
    return any(
        (each.get("name"), each.get("value")) == (name, value)
        for each in form.find("input")
    )


def _controls(form: Element) -> Iterator[Element]:
    """Yield what can be sent; a control that is switched off sends nothing."""
    return (
        element
        for element in form.find(*_CONTROLS)
        if not element.has("disabled")
        and not any(
            e.tag == "fieldset" and e.has("disabled") for e in element.lineage()
        )
    )


def _kind(control: Element) -> str:
    if control.tag == "button":
        return control.get("type").lower() or "submit"
    if control.tag == "input":
        return control.get("type").lower() or "text"
    return control.tag


def _value(control: Element) -> str:
    ticked = _kind(control) in {"checkbox", "radio"} and not control.has("value")
    return "on" if ticked else control.get("value")


def _fits(control: Element) -> bool:
    """Tell whether it is a control of the kind that the answer needs."""
    if control.get("name").startswith("choice."):
        return _kind(control) in _CHOOSING
    return _kind(control) == "checkbox"


def _marked(control: Element) -> bool:
    mark = _MARKS.get(_value(control))
    return mark is None or control.get("data-ck-action") == mark


def _declared(question: Question, locale: Locale) -> Iterator[str]:
    """Yield the app's own words that belong to a question."""
    controller, purpose = question.controller, question.purpose
    yield controller.name
    yield controller.contact
    for text in (
        *(controller.authority, controller.rights),
        *(purpose.title, purpose.description, purpose.necessity),
        *(purpose.impact, purpose.if_refused),
        *(item.category.title for item in question.items),
        *(item.if_refused for item in question.items),
    ):
        yield locale.localise(text)
    if automated := purpose.automated:
        for text in (automated.logic, automated.consequence, automated.human):
            yield locale.localise(text)
    if not question.own_use:
        recipient = question.recipient
        yield recipient.name
        yield recipient.contact
        for text in (recipient.method, recipient.safeguard, recipient.risks):
            yield locale.localise(text)
