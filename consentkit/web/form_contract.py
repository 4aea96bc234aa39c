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
_OURS = ("choice.", "data.")
_CONTROLS = ("input", "button", "select", "textarea")
_CHOOSING = frozenset({"radio", "submit"})
_MARKS = {"given": "accept", "refused": "decline"}


def page_faults(page: Rehearsed, document: Element) -> Iterator[str]:
    """Yield what a page lacks so that its answers and its stops reach us.

    ``document`` is the page as it was parsed.
    """
    if page.answer:
        if page.fragment not in page.html:
            yield (
                "the notice does not stand on the page byte for byte: what is shown "
                "has to be what is logged"
            )
        if not any(each.has("data-ck-root") for each in document.elements()):
            yield "nothing is marked data-ck-root"
        form = yield from _form(document, *page.answer)
        if form is not None:
            yield from answer_faults(tuple(_controls(document, form)), _wanted(page))
    for stop in page.stops:
        form = yield from _form(document, *stop)
        if form is not None:
            controls = tuple(_controls(document, form))
            yield from _strays(controls)
            if not any(_kind(each) == "submit" for each in controls):
                yield "a form that stops an answer has no button"


def answer_faults(
    controls: tuple[Element, ...], wanted: frozenset[tuple[str, str]]
) -> Iterator[str]:
    """Yield which controls a question's form lacks, and which it has too many.

    ``wanted`` are the names and values that an answer can be made of.
    """
    sent = [(e.get("name"), _value(e)) for e in controls if e.get("name")]
    fitting = {(e.get("name"), _value(e)) for e in controls if _fits(e) and _marked(e)}
    for name, value in sorted(wanted - fitting):
        mark = _MARKS.get(value)
        marked = f' marked data-ck-action="{mark}"' if mark else ""
        yield f"no control{marked} sends {name}={value}"
    allowed = wanted | {(name, "deferred") for name, value in wanted if value in _MARKS}
    for name, value in sorted(set(sent) - allowed):
        if name not in _BOOKKEEPING:
            # What else a host puts there may be about the person: only its name.
            told = f"{name}={value:.40}" if name.startswith(_OURS) else name
            yield f"a control sends {told}, which answers no question"
    for each in controls:
        if each.get("name").startswith(_OURS) and not _fits(each):
            yield f"what nobody presses or ticks sends {each.get('name')}"
    yield from _strays(controls)
    if not any(_kind(each) == "submit" for each in controls):
        yield "no button sends the answers"


def untold(
    theirs: Element, ours: str, questions: tuple[Question, ...], locale: Locale
) -> Iterator[str]:
    """Yield the declared texts that our own page tells and this one does not (R1)."""
    told = visible_text(theirs)
    texts = {text for each in questions for text in _declared(each, locale)}
    missing = [text for text in sorted(texts) if " ".join(text.split()) not in told]
    if missing:
        model = visible_text(parse(ours))
        for text in missing:
            words = " ".join(text.split())
            if words in model:
                yield f"it leaves out what is declared: “{words[:60]}”"


def _wanted(page: Rehearsed) -> frozenset[tuple[str, str]]:
    """What the answers are made of: as asked, else as the logged notice has it."""
    if page.notice is not None:
        return frozenset(_asked(page.notice))
    logged = parse(page.fragment)
    controls = {(each.get("name"), _value(each)) for each in logged.find(*_CONTROLS)}
    return frozenset(
        (name, value)
        for name, value in controls
        if name.startswith(_OURS) and value != "deferred"
    )


def _asked(notice: NoticeView) -> Iterator[tuple[str, str]]:
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


def _controls(document: Element, form: Element) -> Iterator[Element]:
    """Yield what the form can send (HTML, "form owner"); what is off sends nothing."""
    own = form.get("id")
    for element in document.find(*_CONTROLS):
        if element.has("form"):
            owned = bool(own) and element.get("form") == own
        else:
            owned = element.within(form)
        if owned and not _is_off(element):
            yield element


def _is_off(control: Element) -> bool:
    return control.has("disabled") or any(
        each.tag == "fieldset" and each.has("disabled") for each in control.lineage()
    )


def _strays(controls: tuple[Element, ...]) -> Iterator[str]:
    """Yield the buttons that send the form elsewhere than the form says."""
    for each in controls:
        if each.has("formaction"):
            yield "a button has a formaction: its press goes elsewhere than the form"
        # A press that only closes a dialog sends nothing, so it can be no answer.
        method = each.get("formmethod").lower()
        if method and (method != "dialog" or each.get("name")):
            yield "a button has a formmethod of its own"


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
